/** Colours comments, strings, numbers and keywords by the look of the text. Knows no browser, so that Node can test it. */

const KEYWORDS = new Set(
  (
    "abstract and as async await begin bool boolean break case catch char class const continue def default defer defmodule " +
    "defp del do done double elif else elsif end enum esac except export extends extern false final finally float fn for " +
    "foreach from fun func function go if impl implements import in include instanceof int interface internal is lambda let " +
    "local long loop match mod module mut namespace new nil none not null object of open operator or override package pass " +
    "private protected pub public raise readonly record ref require rescue return select self static string struct super " +
    "switch then this throw throws trait true try type typedef typeof undefined union unless unsafe until use using val var " +
    "virtual void volatile when where while with yield None True False"
  ).split(" "),
);
const HASH = new Set("python ruby bash elixir yaml toml make dockerfile r perl ini cmake".split(" "));
const DASH = new Set("haskell lua sql".split(" "));
const PLAIN = new Set(["markdown", "text"]);

/** A piece of a line and what it is. */
export interface Piece {
  readonly text: string;
  readonly kind: "comment" | "string" | "number" | "keyword" | undefined;
}

/** Lines of coloured pieces. */
export function colouredLines(text: string, language: string): Piece[][] {
  const lines: Piece[][] = [[]];
  const add = (piece: string, kind: Piece["kind"]): void => {
    piece.split("\n").forEach((part, i) => {
      if (i > 0) lines.push([]);
      if (part !== "") lines.at(-1)!.push({ text: part, kind });
    });
  };
  if (PLAIN.has(language)) {
    add(text, undefined);
    return lines;
  }
  const line = HASH.has(language) ? "#.*" : DASH.has(language) ? "--.*" : "\\/\\/.*";
  const tokens = new RegExp(
    `(${line}|\\/\\*[^]*?(?:\\*\\/|$)|^[ \\t]*\\*.*)|("""[^]*?(?:"""|$)|"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|` +
      "`(?:\\\\.|[^`\\\\])*`)|(\\b\\d[\\w.]*)|(\\b[A-Za-z_]\\w*)",
    "gm",
  );
  let end = 0;
  for (const match of text.matchAll(tokens)) {
    const [token, comment, string, number] = match;
    add(text.slice(end, match.index), undefined);
    const kind =
      comment !== undefined
        ? "comment"
        : string !== undefined
          ? "string"
          : number !== undefined
            ? "number"
            : KEYWORDS.has(token)
              ? "keyword"
              : undefined;
    add(token, kind);
    end = match.index + token.length;
  }
  add(text.slice(end), undefined);
  return lines;
}
