import type { WordScanner } from "../text/words.js";
import type { Query } from "../text/query.js";
import type { Candidate, ChunkRow, Tier } from "../store/store.js";

/** What the linear model adds up, in the order of its weights. */
export const FEATURES = [
  "lexical",
  "static",
  "full",
  "lexicalTop",
  "semanticTop",
  "lexicalPlace",
  "semanticPlace",
  "exactName",
  "exactCase",
  "scopedName",
  "nameCover",
  "queryInName",
  "queryNearName",
  "queryInScope",
  "pathMatch",
  "queryInPath",
  "folderMatch",
  "isFunction",
  "isClass",
  "isModule",
  "isDoc",
  "isConfig",
  "isText",
  "isTest",
  "isExample",
  "isVendored",
  "isGenerated",
  "isTypes",
  "isBarrel",
  "isLegacy",
  "isLog",
  "size",
] as const;
export type Feature = (typeof FEATURES)[number];
const AT = Object.fromEntries(FEATURES.map((name, place) => [name, place])) as Record<Feature, number>;

const TEST =
  /(?:^|\/)(?:tests?|specs?|__tests__|__mocks__|testing|testdata|fixtures?|e2e|benches|benchmarks?)\/|(?:^|\/)(?:test_[^/]*|[^/]*[._-](?:test|tests|spec|bench)\.[^/]+|[^/]*_test\.[^/]+|[^/]*Tests?\.(?:java|kt|cs|scala|php|swift)|conftest\.py)$/;
const EXAMPLE = /(?:^|\/)(?:_?examples?|demos?|samples?|playground|sandbox|tutorials?|docs?_src)\//i;
const VENDORED =
  /(?:^|\/)(?:vendor|vendored|third[_-]?party|external|deps|bower_components|single_include|dist|build|out|target|min|generated|gen|__generated__|migrations|locales?|i18n)\//i;

/** Kept for those who still use it. */
const LEGACY = /(?:^|\/)_?(?:compat|legacy|deprecated|obsolete|attic|old)\//i;
/** Files that only hand on what others define. */
const BARREL = /(?:^|\/)(?:__init__\.py|index\.[cm]?[jt]sx?|mod\.rs|package-info\.java|doc\.go)$/;
/** What changed when: every word of a project stands in it. */
const LOG =
  /(?:^|\/)(?:change(?:s|log)?|history|news|release(?:s|[-_ ]?notes)?|upgrad(?:e|ing)|migrat(?:ion|ing))[^/]*\.(?:md|mdx|rst|txt|adoc)$|(?:^|\/)(?:CHANGES|NEWS|ChangeLog|HISTORY)$|(?:^|\/)\.changeset\//i;

/** Facts about a path, remembered: many chunks share one. Words are numbers of {@link ChunkReader}. */
interface PathFacts {
  readonly stem: readonly number[];
  readonly folders: readonly number[];
  /** Of the file's name and of the folder that it lies in. */
  readonly near: readonly number[];
  readonly isTest: boolean;
  readonly isExample: boolean;
  readonly isVendored: boolean;
  readonly isLegacy: boolean;
  readonly isBarrel: boolean;
  readonly isLog: boolean;
  readonly isTypes: boolean;
}

/** What features need to know of a chunk whatever the query is. */
interface ChunkFacts {
  readonly path: PathFacts;
  readonly name: readonly number[];
  readonly scope: readonly number[];
  readonly lowerName: string;
  /** Features that no query changes [FEATURES]; zero elsewhere. */
  readonly fixed: Float64Array;
}

/** Reads what features need to know of chunks, once for each; words are numbered. */
export class ChunkReader {
  private readonly paths = new Map<string, PathFacts>();
  private readonly lists = new Map<string, readonly number[]>();
  private readonly chunks = new WeakMap<ChunkRow, ChunkFacts>();
  private readonly numbers = new Map<string, number>();
  /** Words by number. */
  readonly words: string[] = [];

  constructor(private readonly scanner: WordScanner) {}

  /** A word's number. */
  number(word: string): number {
    let number = this.numbers.get(word);
    if (number === undefined) {
      number = this.words.push(word) - 1;
      this.numbers.set(word, number);
    }
    return number;
  }

  facts(row: ChunkRow): ChunkFacts {
    let facts = this.chunks.get(row);
    if (facts === undefined) this.chunks.set(row, (facts = this.read(row)));
    return facts;
  }

  private read({ path: at, kind, name, scope, generated, startLine, endLine }: ChunkRow): ChunkFacts {
    const path = this.pathFacts(at);
    const fixed = new Float64Array(FEATURES.length);
    fixed[AT.isFunction] = kind === "function" || kind === "method" ? 1 : 0;
    fixed[AT.isClass] = kind === "class" ? 1 : 0;
    fixed[AT.isModule] = kind === "module" ? 1 : 0;
    fixed[AT.isText] = kind === "text" ? 1 : 0;
    fixed[AT.isVendored] = path.isVendored ? 1 : 0;
    fixed[AT.isGenerated] = generated ? 1 : 0;
    fixed[AT.isTypes] = path.isTypes ? 1 : 0;
    fixed[AT.isBarrel] = path.isBarrel && (kind === "module" || endLine - startLine < 3) ? 1 : 0;
    fixed[AT.isLegacy] = path.isLegacy ? 1 : 0;
    fixed[AT.size] = Math.log2(1 + endLine - startLine) / 6;
    return {
      path,
      name: kind === "text" || kind === "config" ? NO_WORDS : this.wordsOf(name),
      scope: kind === "doc" || scope.length === 0 ? NO_WORDS : this.wordsOf(scope.at(-1)!),
      lowerName: name.toLowerCase(),
      fixed,
    };
  }

  /** The different words of a text; the same list for the same text. */
  private wordsOf(text: string): readonly number[] {
    let list = this.lists.get(text);
    if (list === undefined) {
      list = [...new Set(this.scanner.words(text))].map((word) => this.number(word));
      if (this.lists.size > 200_000) this.lists.clear();
      this.lists.set(text, list);
    }
    return list;
  }

  private pathFacts(path: string): PathFacts {
    let facts = this.paths.get(path);
    if (facts === undefined) {
      const parts = path.split("/");
      const file = parts.at(-1)!.replace(/\.[^.]+$/, "");
      // A file that says nothing by its own name is called by its folder.
      const title = /^(?:index|mod|lib|main|__init__|init)$/.test(file) && parts.length > 1 ? parts.at(-2)! : file;
      facts = {
        stem: this.wordsOf(title),
        folders: this.wordsOf(parts.slice(0, -1).join(" ")),
        near: this.wordsOf(`${file} ${parts.at(-2) ?? ""}`),
        isTest: TEST.test(path),
        isExample: EXAMPLE.test(path),
        isVendored: VENDORED.test(path),
        isLegacy: LEGACY.test(path),
        isBarrel: BARREL.test(path),
        isLog: LOG.test(path),
        isTypes: path.endsWith(".d.ts") || path.endsWith(".pyi"),
      };
      if (this.paths.size > 200_000) this.paths.clear();
      this.paths.set(path, facts);
    }
    return facts;
  }
}

/** Features of all candidates [candidates, FEATURES]. Scores are standardised over the candidates of the query. */
export function featuresOf(query: Query, candidates: readonly Candidate[], reader: ChunkReader): Float64Array {
  const bm25 = Float64Array.from(candidates, (one) => one.lexical);
  const cosine = (tier: Tier): Float64Array | undefined =>
    candidates[0]?.cosines[tier] === undefined
      ? undefined
      : Float64Array.from(candidates, (one) => one.cosines[tier] ?? 0);
  const [statics, fulls] = [cosine("static"), cosine("full")];
  const semantic = fulls ?? statics;
  const width = FEATURES.length;
  const out = new Float64Array(candidates.length * width);
  const put = (feature: Feature, values: ArrayLike<number>): void => {
    for (let i = 0, at = AT[feature]; i < values.length; i++, at += width) out[at] = values[i]!;
  };
  // What no query changes first: it fills whole rows.
  const facts = candidates.map(({ row }) => reader.facts(row));
  facts.forEach(({ fixed }, i) => out.set(fixed, i * width));
  put("lexical", standardised(bm25));
  if (statics !== undefined) put("static", standardised(statics));
  if (fulls !== undefined) put("full", standardised(fulls));
  const topLexical = greatest(bm25);
  put(
    "lexicalTop",
    bm25.map((score) => score / topLexical),
  );
  const lexicalPlaces = places(bm25);
  put(
    "lexicalPlace",
    bm25.map((score, i) => (score > 0 ? lexicalPlaces[i]! : 0)),
  );
  if (semantic !== undefined) {
    const top = greatest(semantic);
    put(
      "semanticTop",
      semantic.map((score) => Math.max(0, score / top)),
    );
    put("semanticPlace", places(semantic));
  }
  const wanted = new WantedWords(query, reader);
  const { asks, names, written } = query;
  for (let i = 0, at = 0; i < candidates.length; i++, at += width) {
    const { row } = candidates[i]!;
    const { path, name, scope, lowerName } = facts[i]!;
    const inQuery = wanted.countIn(name);
    if (names.length > 0) {
      out[at + AT.exactName] = names.includes(lowerName) ? 1 : 0;
      out[at + AT.scopedName] = scopedly(names, lowerName, row) ? 1 : 0;
    }
    out[at + AT.exactCase] = written.includes(row.name) ? 1 : 0;
    out[at + AT.nameCover] = name.length === 0 ? 0 : inQuery / name.length;
    out[at + AT.queryInName] = wanted.size === 0 ? 0 : inQuery / wanted.size;
    out[at + AT.queryNearName] = wanted.nearShare(name);
    out[at + AT.queryInScope] = wanted.nearShare(scope);
    out[at + AT.pathMatch] = path.stem.length === 0 ? 0 : wanted.countIn(path.stem) / path.stem.length;
    out[at + AT.queryInPath] = wanted.nearShare(path.near);
    out[at + AT.folderMatch] = Math.min(1, wanted.countIn(path.folders) / 2);
    out[at + AT.isDoc] = row.kind === "doc" && !asks.docs ? 1 : 0;
    out[at + AT.isConfig] = row.kind === "config" && !asks.config ? 1 : 0;
    out[at + AT.isTest] = path.isTest && !asks.tests ? 1 : 0;
    out[at + AT.isExample] = path.isExample && !asks.examples ? 1 : 0;
    out[at + AT.isLog] = path.isLog && !asks.docs ? 1 : 0;
  }
  return out;
}

/** `Foo.bar` names the `bar` inside `Foo`. */
function scopedly(names: readonly string[], lowerName: string, { scope }: ChunkRow): boolean {
  const outer = scope.at(-1)?.toLowerCase();
  if (outer === undefined) return false;
  const whole = [".", "::", "#", "->"].map((mark) => `${outer}${mark}${lowerName}`);
  return names.some((one) => whole.some((form) => one === form || one.endsWith(`.${form}`)));
}

/** The words of a query, beside those of chunks. A word is compared once, however many names it stands in. */
class WantedWords {
  readonly size: number;
  private readonly wanted: readonly string[];
  private readonly exact: ReadonlySet<number>;
  /** Places of the wanted words that a word is near, by the word's number. */
  private readonly places = new Map<number, readonly number[]>();
  /** By list of words: chunks share lists. */
  private readonly counts = new Map<readonly number[], number>();
  private readonly shares = new Map<readonly number[], number>();
  private readonly found: Int32Array;
  private turn = 0;

  constructor(
    { words }: Query,
    private readonly reader: ChunkReader,
  ) {
    this.wanted = [...words.keys()];
    this.size = this.wanted.length;
    this.exact = new Set(this.wanted.map((word) => reader.number(word)));
    this.found = new Int32Array(this.size);
  }

  /** How many of some different words are wanted. */
  countIn(words: readonly number[]): number {
    const known = this.counts.get(words);
    if (known !== undefined) return known;
    let count = 0;
    for (const word of words) if (this.exact.has(word)) count += 1;
    this.counts.set(words, count);
    return count;
  }

  /** The share of the wanted words that are among some words, or that begin as one of them, or one of them as it. */
  nearShare(words: readonly number[]): number {
    const known = this.shares.get(words);
    if (known !== undefined) return known;
    this.turn += 1;
    let count = 0;
    for (const word of words) {
      let places = this.places.get(word);
      if (places === undefined) this.places.set(word, (places = this.placesOf(this.reader.words[word]!)));
      for (const place of places) {
        if (this.found[place] === this.turn) continue;
        this.found[place] = this.turn;
        count += 1;
      }
    }
    const share = count === 0 ? 0 : count / this.size;
    this.shares.set(words, share);
    return share;
  }

  private placesOf(other: string): readonly number[] {
    const places: number[] = [];
    this.wanted.forEach((word, place) => {
      if (other === word || (word.length >= 3 && other.length >= 3 && begins(word, other))) places.push(place);
    });
    return places.length === 0 ? NOWHERE : places;
  }
}

const NOWHERE: readonly number[] = [];
const NO_WORDS: readonly number[] = [];

function begins(a: string, b: string): boolean {
  return a.length < b.length ? b.startsWith(a) : a.startsWith(b);
}

/** The greatest score, at least a little above zero. */
function greatest(scores: Float64Array): number {
  let top = 1e-9;
  for (const score of scores) if (score > top) top = score;
  return top;
}

/** 1 for the greatest, falling with the place among all: a half at the eleventh. Equal scores share a place. */
function places(scores: Float64Array): Float64Array {
  const sorted = scores.slice().sort();
  return scores.map((score) => {
    // How many are greater.
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! <= score) low = middle + 1;
      else high = middle;
    }
    return 10 / (10 + sorted.length - low);
  });
}

/** (x - mean) / deviation; zeros where all are equal. */
function standardised(values: Float64Array): Float64Array {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / Math.max(1, values.length);
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / Math.max(1, values.length));
  return values.map((value) => (deviation < 1e-9 ? 0 : (value - mean) / deviation));
}
