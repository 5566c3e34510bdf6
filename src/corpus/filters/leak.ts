/** What {@link leaks} looks at: a pair of a corpus, or what may become one. */
export interface Leakable {
  readonly summary: string;
  readonly docstring: string;
  readonly code: string;
  readonly body: string;
}

/** Where a pair gives itself away. */
export type Leak = "summary-in-code" | "docstring-in-code" | "summary-in-body" | "docstring-in-body";

/**
 * Where the code of a pair still says its summary, or the documentation that this came from: an inner function
 * documented alike, a comment that repeats it. Undefined where it does not.
 *
 * More than four words in a row count however they are written; fewer only as they are written, because `read u8 value`
 * stands in every `read_u8_value`, and tells no more than that.
 */
export function leaks({ summary, docstring, code, body }: Leakable): Leak | undefined {
  for (const [needle, what] of [
    [summary, "summary"],
    [docstring, "docstring"],
  ] as const) {
    if (contains(code, needle)) return `${what}-in-code`;
    if (contains(body, needle)) return `${what}-in-body`;
  }
  return undefined;
}

function contains(code: string, text: string): boolean {
  const needle = words(text);
  if (needle.length < 3) return false;
  const lower = code.toLowerCase();
  // Nearly every code lacks one of the words: no need to split it.
  if (!needle.every((word) => lower.includes(word))) return false;
  return needle.length > 4
    ? ` ${words(lower).join(" ")} `.includes(` ${needle.join(" ")} `)
    : spaced(lower).includes(spaced(text.toLowerCase()));
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Without comment marks at the edges of lines and final punctuation, blanks made one. */
function spaced(text: string): string {
  return text
    .replace(/\s+(?:[*#/]+\s+)?/g, " ")
    .replace(/[.:;!\s]+$/, "")
    .trim();
}
