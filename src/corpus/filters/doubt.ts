import type { Language } from "../../base/index.js";
import { weakness, WEAKNESSES, type FunctionKind } from "../../languages/index.js";

/** What a doubt is decided by. */
export interface Doubtful {
  readonly name: string;
  readonly kind: FunctionKind;
  readonly summary: string;
  /** The documentation tells of nothing but the returned value. */
  readonly returned?: true;
  readonly code: string;
  /** The body with its return statements. */
  readonly inner: string;
}

/** Why a summary that reads like a description is probably none of this function. */
export const DOUBTS = [
  ...WEAKNESSES,
  "return-only",
  "unfinished",
  "bare-constructor",
  "trivial-body",
  "other-object",
  "test-text",
] as const;
export type Doubt = (typeof DOUBTS)[number];

/**
 * The first doubt about a pair, undefined where there is none: a sentence that says not what is done, a constructor that
 * only creates its class, a body that does nothing, the caption of a test, documentation of a sibling.
 */
export function doubtAbout(pair: Doubtful, lang: Language): Doubt | undefined {
  const weak = weakness(pair.summary);
  if (weak !== undefined) return weak;
  if (tellsReturnOnly(pair)) return "return-only";
  if (UNFINISHED.test(pair.summary)) return "unfinished";
  if (isBareConstructor(pair)) return "bare-constructor";
  if (/^_*tests?(?=_|[A-Z]|$)|_test$|Tests?$/.test(pair.name) && CAPTION.test(pair.summary)) return "test-text";
  if (doesNothing(pair.inner, lang)) return "trivial-body";
  return namesAnother(pair) || namesSibling(pair) ? "other-object" : undefined;
}

/** What a test answers is all that it does; what else a function returns is seldom all. */
const PREDICATE =
  /^(?:this )?returns? (?:(?:\w+ )?(?:true|false|1|0|non-?zero)\b,? (?:if+|when|in case|for|only|otherwise)\b|whether\b|if\b)/i;

/**
 * True where nothing but the returned value is told and the function does more: documentation by its return tag alone,
 * or `Returns true if ...` of a function that is long and not named as a question.
 */
function tellsReturnOnly({ returned, summary, name, inner }: Doubtful): boolean {
  if (PREDICATE.test(summary)) return !asks(name) && inner.trim().split("\n").length > 12;
  return returned === true || /^returns? e\.g\.|^returns? (?:by|bytes)# /i.test(summary);
}

function asks(name: string): boolean {
  const parts = subwords(name);
  return /^_*(?:is|has|can)|\?$/i.test(name) || ASKING.has(parts[0] ?? "") || ASKING.has(parts.at(-1) ?? "");
}
/** Names that begin or end with these ask; `valid?` asks too. */
const ASKING: ReadonlySet<string> = new Set(
  `is are has have can could should will was does do did contain contains exist exists support supports supported allow allows
  allowed enabled need needs equal equals match matches check test valid validate verify any all include includes start starts
  end ends accept accepts compare eq own owns in try`.split(/\s+/),
);

/** What was true before the code was written. */
const UNFINISHED =
  /\bnot (?:yet|currently) (?:implemented|supported|finished|used)\b|\bunimplemented\b|\bwork in progress\b/i;

/** `Tests reading of rows`, not `Tests that rows are read`. */
const CAPTION = /^tests? (?!that\b|whether\b|if\b)/i;

/** `Creates a cookie handler.`, `Initializes a new instance of the Foo class with the given arguments.` */
function isBareConstructor({ kind, name, summary }: Doubtful): boolean {
  const isOne = kind === "constructor" || /^(?:__construct|__init__|initialize|constructor)$/.test(name);
  if (/^(?:creates?|initiali[sz]es?|constructs?|returns?)(?: (?:an?|the|new))+ instances?\b/i.test(summary)) {
    const said = summary
      .replace(/\b(?:the |an? )?\S+ (?:class|struct|structure|type|object)\b/i, "")
      .replace(/\binstance of (?:the |an? )?\S+/i, "");
    if (words(said).length === 0) return true;
  }
  const made = isOne ? MAKES.exec(summary) : null;
  if (made === null) return false;
  const rest = summary.slice(made[0].length).replace(GENERIC_TAIL, "").replace(/[.!]$/, "");
  return (
    rest.split(" ").length <= 5 &&
    !/\b(?:with|using|from|given|based|for|that|by|to|in|on|and|if|which|as)\b/i.test(rest)
  );
}
const MAKES =
  /^(?:creates?|initiali[sz]es?|constructs?|instantiates?|builds?|makes?|defines?|sets? ?up|generates?|inits?|returns?|prepares?|allocates?) (?:(?:an?|the|this|our|its|brand|new|empty|default|basic|simple) )*/i;
/** `with the given parameters` and its like, which every constructor could say. */
const GENERIC_TAIL =
  /,? (?:with|using|from|given|based on|that takes|taking|accepting) (?:(?:the|an?|its|some|all|these|given|specified|supplied|provided|passed|default|optional|required|initial|following) ){0,4}(?:parameters?|arguments?|args|options?|values?|configuration|config|settings|attributes|properties|data|params|information|details|class|object)\.?$/i;

/** True for bodies that return a constant or the receiver, or are empty, after messages to a log at most. */
function doesNothing(inner: string, lang: Language): boolean {
  if (inner.length > 1_500) return false;
  const hashes = lang === "python" || lang === "ruby" || lang === "php";
  const slashes = lang !== "python" && lang !== "ruby";
  let plain = slashes ? inner.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, " ") : inner;
  if (hashes) plain = plain.replace(/^\s*#.*$/gm, " ");
  plain = plain.trim();
  if (plain.length >= 600) return false;
  return plain
    .split(/[;\n]/)
    .map((line) => line.trim())
    .every((line) => /^[{}]*$/.test(line) || MESSAGE.test(line) || CONSTANT.test(line) || GUARD.test(line));
}
/** `if (pointer == NULL) {` before a constant is returned. */
const GUARD = /^if ?\(\s*(?:!\w+|\w+ ?(?:===?|is) ?(?:NULL|null|nil|None|undefined))\s*\) ?\{?$/;
/** Statements that are there for compilers and logs. */
const MESSAGE =
  /^(?:\(void\) ?\w+$|UNREFERENCED_PARAMETER\b|_ = \w+$|del \w[\w, ]*$|[\w.:$]*(?:[wW]arn|[dD]eprecat|logger|\blog\b|[tT]race|[dD]ebug)[\w.:>$-]*[ (][^{}]*$)/;
const CONSTANT =
  /^(?:=> ?|return\b ?)?\(?(?:null|nil|None|NULL|undefined|true|false|TRUE|FALSE|True|False|-?\d+[a-zA-Z]*|"[^"]*"|'[^']*'|\[\]|\{ ?\}|this|self|\$this|[A-Z_\d]{3,}|pass)?\)?$/;

/**
 * True where name and sentence begin with the same verb and go on with different things (`setCommand`: `Set the body
 * of this frame`), and the code knows less than half of the sentence's words: documentation copied from a sibling.
 */
function namesAnother({ name, summary, code }: Doubtful): boolean {
  const [verb, ...nouns] = subwords(name);
  if (verb === undefined || !ACTS.test(verb) || !summary.toLowerCase().startsWith(verb)) return false;
  const objects = nouns.filter((word) => word.length > 2);
  const said = words(summary);
  if (objects.length === 0 || said.length === 0) return false;
  const all = subwords(summary);
  if (objects.some((noun) => all.some((word) => alike(word, noun)))) return false;
  const known = [...new Set(subwords(code))];
  return said.filter((word) => known.some((other) => alike(word, other))).length * 2 < said.length;
}
const ACTS =
  /^(?:set|get|add|remove|delete|create|update|enable|disable|show|hide|clear|reset|has|is|check|find|load|save|read|write|start|stop|open|close|parse|build|make|init)$/;

/**
 * True where the sentence writes a name that the code does not know and that begins as the function's own does:
 * `SaveCanceledAsync`, `Logs the SaveFailed event`.
 */
function namesSibling({ name, summary, code }: Doubtful): boolean {
  const own = subwords(name);
  return (summary.match(/\b[A-Za-z]+(?:[a-z][A-Z]|_[a-z])\w*/g) ?? []).some((other) => {
    const parts = subwords(other);
    if (parts.length < 2 || parts[0] !== own[0] || code.toLowerCase().includes(other.toLowerCase())) return false;
    return parts.some((part) => !own.some((word) => alike(part, word)));
  });
}

/** `configuration` and `config`, `cfg`; `rows` and `row`; `initialize` and `init`. */
function alike(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (short.length < 3) return false;
  if (long.startsWith(short.slice(0, Math.max(3, short.length - 3)))) return true;
  if (short[0] !== long[0]) return short.length > 3 && long.includes(short);
  let at = 0;
  for (const char of long) if (char === short[at]) at += 1;
  return at === short.length || (short.length > 3 && long.includes(short));
}

/** What a sentence is about: its words without those of grammar, of documentation in general, and its opening verb. */
function words(summary: string): string[] {
  return subwords(summary.replace(/^\w+ /, "")).filter((word) => word.length > 2 && !COMMON.has(word));
}

function subwords(text: string): string[] {
  return (
    text
      .replace(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, " ")
      .toLowerCase()
      .match(/[a-z]{2,}|\d+/g) ?? []
  );
}

const COMMON: ReadonlySet<string> = new Set(
  `the and for from with that this those these into onto over under its their our your has have had are was were will would can
  could should may might must not but than then when where which who whom whose what how why any all each every some one two
  other another same such only also more most less least very given specified provided supplied passed current new default
  instance class method function object value values whether there here been being does done using used use based via per between
  within without through during before after until while about against along at by if in of on or to a an is it be as up out
  parameter parameters argument arguments`.split(/\s+/),
);
