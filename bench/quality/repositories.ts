import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { messageOf, UserError } from "../../src/base/index.js";
import { openCorpus, openSources, readRecipe, type SourceConfig, type Split } from "../../src/corpus/index.js";

/** A split that is not learnt from. */
export type HeldOut = Exclude<Split, "train">;

/**
 * Repositories with their history that are in no corpus of ours; what the corpus calls them otherwise (as packages) is
 * looked up, and one that is there is left out. Of several languages, neither tiny nor huge.
 */
const WITH_HISTORY: Readonly<Record<HeldOut, readonly string[]>> = {
  validation: [
    "josdejong/mathjs",
    "npgsql/npgsql",
    "composer/composer",
    "prawnpdf/prawn",
    "networkx/networkx",
    "golang/net",
    "facebook/zstd",
    "rmosolgo/graphql-ruby",
    "facebook/lexical",
    "apache/dubbo",
  ],
  test: [
    "apollographql/apollo-client",
    "jstedfast/MailKit",
    "doctrine/dbal",
    "rubocop/rubocop",
    "twisted/twisted",
    "kubernetes/apimachinery",
    "raysan5/raylib",
    "ruby-concurrency/concurrent-ruby",
    "TypeStrong/typedoc",
    "hapijs/hapi",
  ],
};

/** Where the corpus and what it was made from lie. */
export interface Places {
  readonly corpus: string;
  /** What `lodestone corpus fetch` brought. */
  readonly cache: string;
  /** Bare git repositories, `owner+name` or `owner/name`. */
  readonly mirrors: string | undefined;
}

/** A held-out repository or package, written out as files. */
export interface Repository {
  readonly origin: string;
  readonly version: string;
  readonly folder: string;
  /** By path: the text as it was. */
  readonly files: ReadonlyMap<string, string>;
  /** Its git directory, where its history is known. */
  readonly git: string | undefined;
}

/** More take long to index and tell nothing else. */
const MOST_FILES = 1500;
/** What people search; images, archives and other data are left out before they are read. */
const TEXT =
  /\.(?:[cm]?[jt]sx?|py|pyi|java|cs|c|h|rb|go|php|cc|cpp|hpp|rs|kt|scala|swift|md|mdx|rst|txt|adoc|json|ya?ml|toml|xml|html|css|sh|sql|proto|cfg|ini|gradle)$|(?:^|\/)(?:Makefile|Rakefile|Gemfile|README|CHANGES|NEWS)$/i;

/** Origins of a split of the corpus, and those with history, as entries of a config. */
export async function heldOutSources({ corpus, mirrors }: Places, split: HeldOut): Promise<SourceConfig[]> {
  const opened = await openCorpus(corpus);
  try {
    const held = new Set<string>();
    for (const group of opened.pairs.groups(split)) {
      for (const { origin } of await opened.pairs.readGroup(group, ["origin"])) held.add(origin);
    }
    const entries: SourceConfig[] = [];
    for (const source of opened.manifest.config.sources) {
      entries.push(...(source.kind === "recipe" ? (await readRecipe(source.path)).sources : [source]));
    }
    const own = entries.filter((entry) => held.has(originOf(entry)));
    // Whole repositories, with the tests and examples that a corpus leaves out.
    const whole = own.map((entry) => ({ ...entry, paths: [], exclude: [], languages: undefined }) as SourceConfig);
    if (mirrors === undefined) return whole;
    const known = opened.manifest.sources.map(({ origin }) => origin.toLowerCase());
    const more = WITH_HISTORY[split].filter((name) => {
      const last = name.split("/")[1]!.toLowerCase();
      return !known.some((origin) => origin === `git:${name.toLowerCase()}` || packageName(origin) === last);
    });
    return [
      ...whole,
      ...more.map((repository): SourceConfig => ({
        kind: "git",
        repository,
        commit: "HEAD",
        paths: [],
        exclude: [],
        required: false,
      })),
    ];
  } finally {
    await opened.close();
  }
}

function originOf(entry: SourceConfig): string {
  if (entry.kind === "npm") return `npm:${entry.name}`;
  if (entry.kind === "debian") return `debian:${entry.package}`;
  return entry.kind === "git" ? `git:${entry.repository}` : "";
}

/** `debian:python3-networkx` gives `networkx`, as does `npm:networkx`. */
function packageName(origin: string): string {
  return origin
    .replace(/^[a-z]+:/, "")
    .replace(/^(?:python3|ruby|php|lib|golang-github)-?/, "")
    .replace(/-(?:java|dev|clojure)$/, "");
}

/**
 * Reads a source as it is. Undefined where it is not on this machine, or is not worth asking (too small, too large).
 */
export async function readRepository(
  entry: SourceConfig,
  { cache, mirrors }: Places,
): Promise<Omit<Repository, "folder"> | undefined> {
  const [source] = await openSources([entry], { cache, mirrors, licences: { includeOthers: true } });
  const files = new Map<string, string>();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const event of source!.items({ accept: (path) => TEXT.test(path), maxFileBytes: 500_000 })) {
    if (event.kind !== "item" || event.item.kind !== "file") continue;
    const path = safePath(event.item.path);
    if (path === undefined) continue;
    try {
      files.set(path, decoder.decode(event.item.bytes));
    } catch {
      continue; // Not UTF-8: search passes it over as well.
    }
    if (files.size > MOST_FILES) return undefined;
  }
  if (files.size < 15) return undefined;
  const git = entry.kind === "git" && mirrors !== undefined ? mirrorOf(mirrors, entry.repository) : undefined;
  return {
    origin: source!.origin,
    version: source!.version,
    files: git === undefined ? withoutCommonFolder(files) : files,
    git,
  };
}

function mirrorOf(mirrors: string, repository: string): string | undefined {
  const [owner, name] = repository.split("/");
  const folders = [`${owner}+${name}/repo`, `${owner}+${name}`, `${owner}/${name}.git`, `${owner}/${name}`];
  return folders.map((folder) => join(mirrors, folder)).find((folder) => existsSync(join(folder, "HEAD")));
}

function safePath(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

/** A package's files lie in a folder with its version in its name, which nobody's repository does. */
function withoutCommonFolder(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const parts = [...files.keys()].map((path) => path.split("/"));
  let depth = 0;
  while (parts.every((one) => one.length > depth + 1 && one[depth] === parts[0]![depth])) depth += 1;
  return new Map([...files].map(([path, text]) => [path.split("/").slice(depth).join("/"), text]));
}

/** Writes files below a folder. @throws UserError `quality.write` */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  try {
    for (const [path, text] of files) {
      const to = join(folder, ...path.split("/"));
      if (!to.startsWith(folder + sep)) continue;
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, text);
    }
  } catch (error) {
    throw new UserError("quality.write", `${folder}: expected to write the set's files, got ${messageOf(error)}`, {
      fix: "Free some space, or set TMPDIR to another disk",
      cause: error,
    });
  }
}
