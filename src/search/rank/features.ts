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
  "exactName",
  "scopedName",
  "nameCover",
  "queryInName",
  "pathMatch",
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
  "size",
] as const;
export type Feature = (typeof FEATURES)[number];

const TEST =
  /(?:^|\/)(?:tests?|specs?|__tests__|__mocks__|testing|testdata|fixtures?|e2e|benches|benchmarks?)\/|(?:^|\/)(?:test_[^/]*|[^/]*[._-](?:test|tests|spec|bench)\.[^/]+|[^/]*_test\.[^/]+|[^/]*Tests?\.(?:java|kt|cs|scala|php|swift)|conftest\.py)$/;
const EXAMPLE = /(?:^|\/)(?:examples?|demos?|samples?|playground|sandbox|tutorials?)\//i;
const VENDORED =
  /(?:^|\/)(?:vendor|vendored|third[_-]?party|external|deps|bower_components|dist|build|out|target|min|generated|gen|__generated__|migrations|locales?|i18n)\//i;

/** Facts about a path, remembered: many chunks share one. */
export interface PathFacts {
  readonly stem: readonly string[];
  readonly folders: readonly string[];
  readonly isTest: boolean;
  readonly isExample: boolean;
  readonly isVendored: boolean;
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
  return candidates.map(({ row, lexical: score }, i) => {
    const facts = paths.facts(row.path);
    const nameWords = row.kind === "text" || row.kind === "config" ? [] : paths.nameWords(row.name);
    const inQuery = nameWords.filter((word) => wanted.has(word)).length;
    const value: Record<Feature, number> = {
      lexical: lexical[i]!,
      static: statics?.[i] ?? 0,
      full: fulls?.[i] ?? 0,
      lexicalTop: score / topLexical,
      semanticTop: semantic === undefined ? 0 : Math.max(0, semantic[i]! / topSemantic),
      exactName: named(query, row) ? 1 : 0,
      scopedName: scopedly(query, row) ? 1 : 0,
      nameCover: nameWords.length === 0 ? 0 : inQuery / nameWords.length,
      queryInName: wanted.size === 0 ? 0 : inQuery / wanted.size,
      pathMatch: share(facts.stem, wanted),
      folderMatch: Math.min(1, facts.folders.filter((word) => wanted.has(word)).length / 2),
      isFunction: row.kind === "function" || row.kind === "method" ? 1 : 0,
      isClass: row.kind === "class" ? 1 : 0,
      isModule: row.kind === "module" ? 1 : 0,
      isDoc: row.kind === "doc" && !query.asks.docs ? 1 : 0,
      isConfig: row.kind === "config" && !query.asks.config ? 1 : 0,
      isText: row.kind === "text" ? 1 : 0,
      isTest: facts.isTest && !query.asks.tests ? 1 : 0,
      isExample: facts.isExample && !query.asks.examples ? 1 : 0,
      isVendored: facts.isVendored ? 1 : 0,
      isGenerated: row.generated ? 1 : 0,
      isTypes: row.path.endsWith(".d.ts") || row.path.endsWith(".pyi") ? 1 : 0,
      size: Math.log2(1 + row.endLine - row.startLine) / 6,
    };
    const out = new Float64Array(FEATURES.length);
    for (let f = 0; f < out.length; f++) out[f] = value[FEATURES[f]!];
    return out;
  });
}

function named({ names }: Query, { name }: ChunkRow): boolean {
  return names.includes(name.toLowerCase());
}

/** `Foo.bar` names the `bar` inside `Foo`. */
function scopedly({ names }: Query, { name, scope }: ChunkRow): boolean {
  const outer = scope.at(-1)?.toLowerCase();
  if (outer === undefined) return false;
  const whole = [".", "::", "#", "->"].map((mark) => `${outer}${mark}${name.toLowerCase()}`);
  return names.some((one) => whole.some((form) => one === form || one.endsWith(`.${form}`)));
}

function share(words: readonly string[], wanted: ReadonlySet<string>): number {
  if (words.length === 0) return 0;
  return words.filter((word) => wanted.has(word)).length / words.length;
}

/** (x - mean) / deviation; zeros where all are equal. */
function standardised(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  const deviation = Math.sqrt(variance);
  return values.map((value) => (deviation < 1e-9 ? 0 : (value - mean) / deviation));
}
