import { searchStem } from "./stem.js";
import { type WordScanner } from "./words.js";

/** What a query seems to ask for. */
export interface Query {
  readonly text: string;
  /** `symbol`: a name; `words`: everything else. */
  readonly shape: "symbol" | "words";
  /** Stems with how often they count; question words only where there is nothing else. */
  readonly words: ReadonlyMap<string, number>;
  /** Names written in it, lower case: `parseDate`, `max_value`, the last part of `Foo.bar`. */
  readonly names: readonly string[];
  /** The same as they are written. */
  readonly written: readonly string[];
  /** Asks for tests, examples, documentation or configuration by name. */
  readonly asks: Readonly<Record<"tests" | "examples" | "docs" | "config", boolean>>;
}

/** More of a pasted text adds nothing but time. */
const READ_UNITS = 20_000;
const MOST_WORDS = 200;

const QUESTION = new Set(
  "a about all also an and any are as at be been being by can could do does doing done for from get gets give given has have how i if in into is it its let make many may me might more my need of on or our should so some such tell than that the their them then there these they thing this those to us used use uses using via want was way we were what when where which who whose why will with without would you your code implement implementation implemented located function class method".split(
    " ",
  ),
);

/** Reads a query. Characters that are no text (NUL and other controls) count as spaces. */
export function readQuery(text: string, scanner: WordScanner): Query {
  const clean = text
    .slice(0, READ_UNITS)
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  const tokens = clean.split(/\s+/).filter((token) => token !== "");
  const words = new Map<string, number>();
  const weak = new Map<string, number>();
  for (const token of tokens) {
    const plain = token.toLowerCase().replace(/[^\p{L}\p{N}]+$/u, "");
    const into = QUESTION.has(plain) ? weak : words;
    for (const word of scanner.words(token)) {
      if (into.size < MOST_WORDS || into.has(word)) into.set(word, (into.get(word) ?? 0) + 1);
    }
  }
  const isName = (token: string): boolean =>
    /^[\p{L}_$@#~][\p{L}\p{N}_$]*[!?]?(?:(?:\.|::|->|#|\/|\\)[\p{L}_$][\p{L}\p{N}_$]*[!?]?)*(?:\(\))?$/u.test(token);
  const looksLikeName = (token: string): boolean =>
    isName(token) &&
    (/[\p{Ll}\p{N}]\p{Lu}|_|::|\.\p{L}|->|\(\)|^\p{Lu}\p{Ll}+\p{Lu}|^\p{Lu}{2,}$/u.test(token) || tokens.length === 1);
  const bare = tokens.map((token) =>
    token.replace(/^[`'"([]+|[`'")\],.;:?]+$/g, (mark) => (mark.startsWith("()") ? "()" : "")),
  );
  const names = bare.filter(looksLikeName).flatMap(nameForms);
  const symbol = tokens.length > 0 && tokens.length <= 2 && bare.every(isName) && names.length > 0;
  const stems = new Set(words.keys());
  const asks = (...list: string[]): boolean => list.some((word) => stems.has(searchStem(word)));
  return {
    text: clean,
    shape: symbol ? "symbol" : "words",
    words: words.size > 0 ? words : weak,
    names: [...new Set(names.map((name) => name.toLowerCase()))],
    written: [...new Set(names)],
    asks: {
      tests: asks("test", "tests", "spec", "mock", "fixture", "fixtures", "testing"),
      examples: asks("example", "examples", "demo", "sample", "tutorial"),
      docs: asks("documentation", "docs", "readme", "guide", "changelog", "tutorial", "install", "installation"),
      config: asks("config", "configuration", "yaml", "json", "toml", "workflow", "dockerfile", "package"),
    },
  };
}

/** `Foo::bar()` gives `bar` and `Foo::bar`. */
function nameForms(token: string): string[] {
  const whole = token.replace(/\(\)$/, "");
  const last = whole.split(/\.|::|->|#|\/|\\/).at(-1)!;
  return last === whole ? [whole] : [last, whole];
}
