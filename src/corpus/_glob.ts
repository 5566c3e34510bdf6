/**
 * One expression for a list of globs over forward-slash paths: `*` and `?` stay within a name, `**` crosses folders. A
 * glob without a slash matches a name at any depth, as in `.gitignore`. Undefined for an empty list.
 */
export function globsToRegExp(globs: readonly string[]): RegExp | undefined {
  if (globs.length === 0) return undefined;
  return new RegExp(`^(?:${globs.map(globSource).join("|")})$`);
}

function globSource(glob: string): string {
  const anchored = glob.replace(/^\//, "").replace(/\/$/, "");
  const prefix = glob.startsWith("/") || anchored.includes("/") ? "" : "(?:.*/)?";
  const source = anchored.replace(/\*\*\/|\*\*|[*?]|[.+^${}()|[\]\\]/g, (token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    return token === "?" ? "[^/]" : `\\${token}`;
  });
  return prefix + source;
}
