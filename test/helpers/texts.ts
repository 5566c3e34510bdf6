/** A few lines of code and prose with repetition enough for some hundred merges. */
export const TEXTS: readonly string[] = Array.from({ length: 12 }, (_, i) =>
  [
    "/**",
    ` * Returns the user name of request ${i}, or undefined when the HTTP server has none.`,
    " * @param {HTTPServer} httpServer the server that holds the session",
    " */",
    `export function getUserName${i}(httpServer, requestId) {`,
    `  const session = httpServer.sessions.get(requestId + ${i * 37});`,
    '  if (session === undefined) throw new Error("no session: " + requestId);',
    "  return session.user_name ?? session.__proto__.user_name;",
    "}",
    "",
    "// Größe, naïve café 😀, 名前, e\u0301",
    "class RequestQueue {\r\n\tpush(item) {\r\n\t\tthis.items.push(item);\r\n\t}\r\n}",
  ].join("\n"),
);
