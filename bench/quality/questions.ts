import type { Rng } from "../../src/base/index.js";
import { languageOfPath, loadLanguage, summarise } from "../../src/languages/index.js";

/**
 * `functions`: the first sentence of a function's documentation, which is taken out of the code; the function answers.
 * `classes`: the same for a class or a module; any place in its file answers. `symbols`: a name; its definitions answer.
 * `changes`: the first line of a commit's message; the source files that it changed answer.
 */
export const QUESTION_KINDS = ["functions", "classes", "symbols", "changes"] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** A place that answers: some lines of a file, or all of it. */
export interface Place {
  readonly path: string;
  /** 1-based, inclusive; absent for a whole file. */
  readonly lines?: readonly [first: number, last: number];
}

export interface Question {
  readonly kind: QuestionKind;
  readonly text: string;
  /** All that should be found. */
  readonly answers: readonly Place[];
}

/** Code without its documentation, line by line as it was, and what may be asked of it. */
export interface Stripped {
  readonly files: ReadonlyMap<string, string>;
  readonly questions: readonly Question[];
}

/** Tests, examples, copies and what programs wrote: nobody's right answer, though they stay in the folder. */
const ASIDE =
  /(?:^|\/)(?:tests?|specs?|__tests__|testing|testdata|fixtures?|examples?|demos?|samples?|vendor|third_party|dist|build|bench(?:mark)?s?|docs?|cjs|esm|umd|commonjs)\/|(?:^|\/)test_[^/]*$|[._-](?:test|tests|spec|min|bundle)\.[^/]+$|_test\.[^/]+$|Tests?\.(?:java|cs|php|kt)$|\.d\.ts$/i;
const MOST_SAME_NAME = 3;

/** Whether a file may answer a question. */
export function mayAnswer(path: string): boolean {
  return languageOfPath(path) !== undefined && !ASIDE.test(path);
}

/**
 * Takes the documentation of functions, classes and modules out of the code, each with as many line breaks as it had, and
 * makes questions of it. A question whose words still stand somewhere in the files is not asked, nor one that is asked twice.
 */
export async function stripped(files: ReadonlyMap<string, string>): Promise<Stripped> {
  const out = new Map<string, string>();
  const questions: Question[] = [];
  const names = new Map<string, { places: Place[]; aside: boolean }>();
  for (const [path, text] of files) {
    const language = languageOfPath(path);
    // Declarations carry the documentation of the code that they describe.
    if (/\.d\.ts$/.test(path)) continue;
    if (language === undefined) {
      out.set(path, text);
      continue;
    }
    const own = mayAnswer(path);
    const spans: [number, number][] = [];
    const ask = (kind: QuestionKind, docstring: string, place: Place, name?: string): void => {
      const found = summarise(docstring, language, name === undefined ? {} : { name });
      if (!own || !("summary" in found)) return;
      const words = found.summary.split(/\s+/).length;
      if (words >= 4 && words <= 25) questions.push({ kind, text: found.summary, answers: [place] });
    };
    const define = (name: string, place: Place): void => {
      const entry = names.get(name) ?? { places: [], aside: false };
      if (own) entry.places.push(place);
      names.set(name, entry);
    };
    const parser = await loadLanguage(language);
    for (const { name, docSpan, docstring, bodyLines, startLine, endLine } of parser.extractFunctions(text)) {
      const place: Place = { path, lines: [startLine, endLine] };
      define(name, place);
      if (docSpan === undefined) continue;
      spans.push([docSpan[0], docSpan[1]]);
      if (bodyLines >= 3 && docstring !== undefined) ask("functions", docstring, place, name);
    }
    for (const { name, line, doc } of classesOf(text, path)) {
      if (name !== undefined) define(name, { path, lines: [line, line] });
      if (doc === undefined) continue;
      spans.push(doc.span);
      ask("classes", doc.text, { path }, name);
    }
    out.set(path, blanked(text, spans));
  }
  for (const [name, { places }] of names) {
    if (name.length < 5 || places.length === 0 || places.length > MOST_SAME_NAME || !/^[\w$]+$/.test(name)) continue;
    questions.push({ kind: "symbols", text: name, answers: places });
  }
  return { files: out, questions };
}

/** Drops questions that the files still answer word by word, and those that are asked more than once. */
export function honest(questions: readonly Question[], files: ReadonlyMap<string, string>): Question[] {
  const asked = new Map<string, number>();
  for (const { text } of questions) asked.set(text.toLowerCase(), (asked.get(text.toLowerCase()) ?? 0) + 1);
  const flat = (text: string): string => text.toLowerCase().replace(/[\s*#/]+/g, " ");
  const all = [...files.values()].map(flat).join("\n");
  return questions.filter(({ kind, text }) => {
    if (asked.get(text.toLowerCase()) !== 1) return false;
    return kind === "symbols" || !all.includes(flat(text).trim().replace(/\.$/, ""));
  });
}

/** At most `limit` of each kind, by chance. */
export function drawn(questions: readonly Question[], limit: number, rng: Rng): Question[] {
  return QUESTION_KINDS.flatMap((kind) => {
    const own = questions.filter((one) => one.kind === kind);
    return rng.split(kind).shuffle(own).slice(0, limit);
  });
}

interface Class {
  /** Undefined for a module. */
  readonly name: string | undefined;
  /** 1-based. */
  readonly line: number;
  readonly doc: { readonly span: [number, number]; readonly text: string } | undefined;
}

const CLASS =
  /^[ \t]*(?:(?:export|default|public|private|protected|internal|abstract|final|static|sealed|partial|declare|data|open|readonly)\s+)*(?:class|interface|struct|enum|trait|record|module|type)\s+([A-Z]\w{3,})\b/gm;

/** Definitions of classes as their lines show them, with the comment right above or, in Python, the string below. */
function classesOf(text: string, path: string): Class[] {
  const found: Class[] = [];
  const python = path.endsWith(".py");
  const module = python ? /^(?:\s*#[^\n]*\n)*\s*("""|''')([^]*?)\1/.exec(text) : null;
  if (module !== null) {
    const start = module[0].length - module[2]!.length - 6;
    // Names stay out of the string that is left, so that the file still parses.
    found.push({ name: undefined, line: 1, doc: { span: [start, module[0].length], text: module[2]! } });
  }
  for (const match of text.matchAll(CLASS)) {
    const at = match.index;
    const line = text.slice(0, at).split("\n").length;
    found.push({ name: match[1]!, line, doc: python ? below(text, at) : above(text, at, path) });
  }
  return found;
}

const HASHES = /((?:^[ \t]*#(?!!)[^\n]*\n)+)[ \t]*$/m;
const SLASHES = /((?:^[ \t]*\/\/[^\n]*\n)+)(?:[ \t]*\[[^\n]*\n)*[ \t]*$/m;

function above(text: string, at: number, path: string): { span: [number, number]; text: string } | undefined {
  const before = text.slice(Math.max(0, at - 6000), at);
  const mark = /\.(?:py|rb)$/.test(path) ? "#" : "//";
  const block = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:(?:@|\[)[^\n]*\n\s*)*$/.exec(before);
  const lines = block === null ? (mark === "#" ? HASHES : SLASHES).exec(before) : null;
  const match = block ?? lines;
  if (match === null) return undefined;
  const start = at - before.length + match.index;
  const length = block === null ? match[1]!.length : match[1]!.length + 5;
  const doc = match[1]!.replace(/^[ \t]*(?:\/\/\/?|#|\*)[ \t]?/gm, "");
  return { span: [start, start + length], text: doc };
}

function below(text: string, at: number): { span: [number, number]; text: string } | undefined {
  const match = /^[^\n]*(?:\([^)]*\))?[^\n:]*:[ \t]*\n\s*("""|''')([^]*?)\1/.exec(text.slice(at, at + 8000));
  if (match === null) return undefined;
  const end = at + match[0].length;
  return { span: [end - match[2]!.length - 6, end], text: match[2]! };
}

/** A text without some spans: only their line breaks stay. Spans may overlap. */
export function blanked(text: string, spans: readonly (readonly [number, number])[]): string {
  let [rest, at] = ["", 0];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    if (to <= at) continue;
    const start = Math.max(from, at);
    rest += text.slice(at, start) + "\n".repeat(text.slice(start, to).split("\n").length - 1);
    at = to;
  }
  return rest + text.slice(at);
}
