const KEYWORDS = new Set(
  "abstract and as async await begin bool boolean break case catch char class const continue def default defer defmodule defp del do done double elif else elsif end enum esac except export extends extern false final finally float fn for foreach from fun func function go if impl implements import in include instanceof int interface internal is lambda let local long loop match mod module mut namespace new nil none not null object of open operator or override package pass private protected pub public raise readonly record ref require rescue return select self static string struct super switch then this throw throws trait true try type typedef typeof undefined union unless unsafe until use using val var virtual void volatile when where while with yield None True False".split(
    " ",
  ),
);
const HASH_COMMENTS = new Set([
  "python",
  "ruby",
  "bash",
  "elixir",
  "yaml",
  "toml",
  "make",
  "dockerfile",
  "r",
  "perl",
  "ini",
  "cmake",
]);
const DASH_COMMENTS = new Set(["haskell", "lua", "sql"]);
const COLOURS = { comment: "\u001b[90m", string: "\u001b[32m", keyword: "\u001b[35m", number: "\u001b[33m" } as const;
const END = "\u001b[0m";

/**
 * Colours comments, strings, numbers and keywords for a terminal, by the look of the text. Control characters of the text
 * are taken out, so that a file cannot steer the terminal.
 */
export function highlight(text: string, language: string, colour: boolean): string {
  // eslint-disable-next-line no-control-regex -- that is what is taken out
  const clean = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
  if (!colour || language === "markdown" || language === "text") return clean;
  const line = HASH_COMMENTS.has(language) ? "#.*" : DASH_COMMENTS.has(language) ? "--.*" : "\\/\\/.*";
  const tokens = new RegExp(
    `(?<comment>${line}|\\/\\*[^]*?(?:\\*\\/|$)|^\\s*\\*.*)|(?<string>"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*'|\`(?:\\\\.|[^\`\\\\])*\`)|(?<number>\\b\\d[\\w.]*)|(?<word>\\b[A-Za-z_]\\w*)`,
    "gm",
  );
  return clean.replace(tokens, (token: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    const kind =
      groups["comment"] !== undefined
        ? "comment"
        : groups["string"] !== undefined
          ? "string"
          : groups["number"] !== undefined
            ? "number"
            : KEYWORDS.has(token)
              ? "keyword"
              : undefined;
    // Each line is coloured by itself, so that line numbers stand between them uncoloured.
    return kind === undefined
      ? token
      : token
          .split("\n")
          .map((part) => `${COLOURS[kind]}${part}${END}`)
          .join("\n");
  });
}
