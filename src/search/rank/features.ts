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

/** Facts about a path, remembered: many chunks share one. */
export interface PathFacts {
  readonly stem: readonly string[];
  readonly folders: readonly string[];
  readonly isTest: boolean;
  readonly isExample: boolean;
  readonly isVendored: boolean;
  readonly isLegacy: boolean;
  readonly isBarrel: boolean;
  readonly isLog: boolean;
  readonly isTypes: boolean;
  /** Of the file's name and of the folder that it lies in. */
  readonly near: readonly string[];
}

export class PathReader {
  private readonly known = new Map<string, PathFacts>();
  constructor(private readonly scanner: WordScanner) {}

  private readonly names = new Map<string, readonly string[]>();

  /** The different words of a name. */
  nameWords(name: string): readonly string[] {
    let words = this.names.get(name);
    if (words === undefined) {
      words = [...new Set(this.scanner.words(name))];
      if (this.names.size > 200_000) this.names.clear();
      this.names.set(name, words);
    }
    return words;
  }

  facts(path: string): PathFacts {
    let facts = this.known.get(path);
    if (facts === undefined) {
      const parts = path.split("/");
      const file = parts.at(-1)!.replace(/\.[^.]+$/, "");
      // A file that says nothing by its own name is called by its folder.
      const title = /^(?:index|mod|lib|main|__init__|init)$/.test(file) && parts.length > 1 ? parts.at(-2)! : file;
      facts = {
        stem: [...new Set(this.scanner.words(title))],
        folders: [...new Set(this.scanner.words(parts.slice(0, -1).join(" ")))],
        isTest: TEST.test(path),
        isExample: EXAMPLE.test(path),
        isVendored: VENDORED.test(path),
        isLegacy: LEGACY.test(path),
        isBarrel: BARREL.test(path),
        isLog: LOG.test(path),
        isTypes: path.endsWith(".d.ts") || path.endsWith(".pyi"),
        near: [...new Set(this.scanner.words(`${file} ${parts.at(-2) ?? ""}`))],
      };
      if (this.known.size > 200_000) this.known.clear();
      this.known.set(path, facts);
    }
    return facts;
  }
}

/** Features of each candidate [candidates, FEATURES]. Scores are standardised over the candidates of the query. */
export function featuresOf(query: Query, candidates: readonly Candidate[], paths: PathReader): Float64Array[] {
  const lexical = standardised(candidates.map((one) => one.lexical));
  const cosine = (tier: Tier): number[] | undefined =>
    candidates[0]?.cosines[tier] === undefined ? undefined : candidates.map((one) => one.cosines[tier] ?? 0);
  const raw = { static: cosine("static"), full: cosine("full") };
  const statics = raw.static === undefined ? undefined : standardised(raw.static);
  const fulls = raw.full === undefined ? undefined : standardised(raw.full);
  const topLexical = Math.max(1e-9, ...candidates.map((one) => one.lexical));
  const semantic = raw.full ?? raw.static;
  const topSemantic = semantic === undefined ? 1 : Math.max(1e-9, ...semantic);
  const wanted = new Set(query.words.keys());
  const near = new NearShare(wanted);
  const lexicalPlaces = places(candidates.map((one) => one.lexical));
  const semanticPlaces = semantic === undefined ? undefined : places(semantic);
  return candidates.map(({ row, lexical: score }, i) => {
    const facts = paths.facts(row.path);
    const nameWords = row.kind === "text" || row.kind === "config" ? NO_WORDS : paths.nameWords(row.name);
    const inQuery = countIn(nameWords, wanted);
    const out = new Float64Array(FEATURES.length);
    out[AT.lexical] = lexical[i]!;
    out[AT.static] = statics?.[i] ?? 0;
    out[AT.full] = fulls?.[i] ?? 0;
    out[AT.lexicalTop] = score / topLexical;
    out[AT.semanticTop] = semantic === undefined ? 0 : Math.max(0, semantic[i]! / topSemantic);
    out[AT.lexicalPlace] = score > 0 ? lexicalPlaces[i]! : 0;
    out[AT.semanticPlace] = semanticPlaces?.[i] ?? 0;
    out[AT.exactName] = named(query, row) ? 1 : 0;
    out[AT.exactCase] = query.written.includes(row.name) ? 1 : 0;
    out[AT.scopedName] = scopedly(query, row) ? 1 : 0;
    out[AT.nameCover] = nameWords.length === 0 ? 0 : inQuery / nameWords.length;
    out[AT.queryInName] = wanted.size === 0 ? 0 : inQuery / wanted.size;
    out[AT.queryNearName] = near.of(nameWords);
    out[AT.queryInScope] = row.scope.length === 0 ? 0 : near.of(scopeWords(row, paths));
    out[AT.pathMatch] = share(facts.stem, wanted);
    out[AT.queryInPath] = near.of(facts.near);
    out[AT.folderMatch] = Math.min(1, countIn(facts.folders, wanted) / 2);
    out[AT.isFunction] = row.kind === "function" || row.kind === "method" ? 1 : 0;
    out[AT.isClass] = row.kind === "class" ? 1 : 0;
    out[AT.isModule] = row.kind === "module" ? 1 : 0;
    out[AT.isDoc] = row.kind === "doc" && !query.asks.docs ? 1 : 0;
    out[AT.isConfig] = row.kind === "config" && !query.asks.config ? 1 : 0;
    out[AT.isText] = row.kind === "text" ? 1 : 0;
    out[AT.isTest] = facts.isTest && !query.asks.tests ? 1 : 0;
    out[AT.isExample] = facts.isExample && !query.asks.examples ? 1 : 0;
    out[AT.isVendored] = facts.isVendored ? 1 : 0;
    out[AT.isGenerated] = row.generated ? 1 : 0;
    out[AT.isTypes] = facts.isTypes ? 1 : 0;
    out[AT.isBarrel] = facts.isBarrel && (row.kind === "module" || row.endLine - row.startLine < 3) ? 1 : 0;
    out[AT.isLegacy] = facts.isLegacy ? 1 : 0;
    out[AT.isLog] = facts.isLog && !query.asks.docs ? 1 : 0;
    out[AT.size] = Math.log2(1 + row.endLine - row.startLine) / 6;
    return out;
  });
}

function named({ names }: Query, { name }: ChunkRow): boolean {
  return names.length > 0 && names.includes(name.toLowerCase());
}

/** `Foo.bar` names the `bar` inside `Foo`. */
function scopedly({ names }: Query, { name, scope }: ChunkRow): boolean {
  const outer = scope.at(-1)?.toLowerCase();
  if (outer === undefined || names.length === 0) return false;
  const whole = [".", "::", "#", "->"].map((mark) => `${outer}${mark}${name.toLowerCase()}`);
  return names.some((one) => whole.some((form) => one === form || one.endsWith(`.${form}`)));
}

function scopeWords({ scope, kind }: ChunkRow, paths: PathReader): readonly string[] {
  return kind === "doc" ? NO_WORDS : paths.nameWords(scope.at(-1)!);
}

/**
 * The share of the wanted words that are among some words, or that begin as one of them, or one of them as it. A word is
 * compared once a query, however many names it stands in.
 */
class NearShare {
  private readonly wanted: readonly string[];
  /** Places of the wanted words that a word is near. */
  private readonly places = new Map<string, readonly number[]>();
  private readonly shares = new Map<readonly string[], number>();
  private readonly found: Int32Array;
  private turn = 0;

  constructor(wanted: ReadonlySet<string>) {
    this.wanted = [...wanted];
    this.found = new Int32Array(this.wanted.length);
  }

  of(words: readonly string[]): number {
    const known = this.shares.get(words);
    if (known !== undefined) return known;
    this.turn += 1;
    let count = 0;
    for (const word of words) {
      let places = this.places.get(word);
      if (places === undefined) this.places.set(word, (places = this.placesOf(word)));
      for (const place of places) {
        if (this.found[place] === this.turn) continue;
        this.found[place] = this.turn;
        count += 1;
      }
    }
    const share = count === 0 ? 0 : count / this.wanted.length;
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
const NO_WORDS: readonly string[] = [];

function begins(a: string, b: string): boolean {
  return a.length < b.length ? b.startsWith(a) : a.startsWith(b);
}

/** 1 for the greatest, falling with the place among all: a half at the eleventh. Equal scores share a place. */
function places(scores: readonly number[]): number[] {
  const sorted = Float64Array.from(scores).sort().reverse();
  const first = new Map<number, number>();
  sorted.forEach((score, place) => first.has(score) || first.set(score, place));
  return scores.map((score) => 10 / (10 + first.get(score)!));
}

function share(words: readonly string[], wanted: ReadonlySet<string>): number {
  if (words.length === 0) return 0;
  return countIn(words, wanted) / words.length;
}

function countIn(words: readonly string[], wanted: ReadonlySet<string>): number {
  let count = 0;
  for (const word of words) if (wanted.has(word)) count += 1;
  return count;
}

/** (x - mean) / deviation; zeros where all are equal. */
function standardised(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  const deviation = Math.sqrt(variance);
  return values.map((value) => (deviation < 1e-9 ? 0 : (value - mean) / deviation));
}
