import { stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { archivedFiles, firstFile, type Part } from "./_archived.js";
import { fingerprintOf } from "./_choose.js";
import { Gate } from "./_gate.js";
import { unavailable } from "./_unavailable.js";
import { formatOf } from "./archives/_format.js";
import { debianCopyright } from "./licences/debian-copyright.js";
import { UNKNOWN, type LicenceRules } from "./licences/expression.js";
import { packageJsonLicence } from "./licences/package-json.js";
import { isLicenceFile, licenceOfText } from "./licences/text.js";
import { Lock, originOf, type Locked } from "./lock.js";
import type { DebianConfig, NpmConfig } from "./schema.js";
import type { Source } from "./types.js";

/** A package that `corpus fetch` put into the cache, read from its archives. */
export async function openPackage(
  config: NpmConfig | DebianConfig,
  cache: string | undefined,
  rules: LicenceRules,
): Promise<Source> {
  const origin = originOf(config);
  if (cache === undefined) return unavailable(config, origin, "packages are read from the cache, and none was given");
  const locked = (await Lock.read(cache)).get(config);
  if (locked === undefined) return unavailable(config, origin, "not in the cache: run corpus fetch");
  for (const { path, bytes } of locked.files) {
    const size = await stat(join(cache, path)).then(
      (info) => info.size,
      () => undefined,
    );
    if (size !== bytes) return unavailable(config, origin, `${path} is not as it was fetched: run corpus fetch`);
  }
  const { resolved, note, files } = locked;
  const gate = new Gate(origin, resolved, rules, false);
  const parts = partsOf(config, cache, locked);
  return {
    origin,
    version: resolved,
    fingerprint: fingerprintOf(config, resolved, ...files.map(({ sha256 }) => sha256)),
    required: config.required,
    ...(note === undefined ? {} : { note }),
    config,
    async *items(options) {
      // Packaging is not the project's code.
      const accept = (path: string): boolean => !packaging(config, path) && options.accept(path);
      const { licenceOf, elsewhere } = await licencesOf(config, parts);
      if (elsewhere !== undefined) {
        const why = `${UNKNOWN}: it is a link to ${elsewhere}, which is another package's`;
        yield gate.skipped(copyrightOf(config), "licence", why);
      }
      yield* archivedFiles(parts, config, licenceOf, gate, { ...options, accept });
    },
  };
}

function packaging(config: NpmConfig | DebianConfig, path: string): boolean {
  return config.kind === "debian" && config.form === "source" && path.startsWith("debian/");
}

/** Archives in the order in which they are read: Debian's main one first. */
function partsOf(config: NpmConfig | DebianConfig, cache: string, { files }: Locked): Part[] {
  const archives = files.map(({ path }) => path).filter((path) => formatOf(path) !== undefined);
  const binary = config.kind === "debian" && config.form === "binary";
  return archives
    .map((path) => {
      const component = /\.orig-([a-z0-9-]+)\.tar\./.exec(basename(path))?.[1];
      // What the packaging consists of has a top folder too: it is named as in the source package.
      const stripTop = !binary && !isPackaging(path);
      return { file: join(cache, path), folder: component === undefined ? "" : `${component}/`, stripTop };
    })
    .sort((a, b) => (a.folder < b.folder ? -1 : a.folder > b.folder ? 1 : a.file < b.file ? -1 : 1));
}

function isPackaging(path: string): boolean {
  return /\.debian\.tar\.\w+$/.test(path);
}

interface Licences {
  readonly licenceOf: (path: string) => string;
  /** Where the file that says it is, if that is in another package. */
  readonly elsewhere?: string;
}

/** What the package itself says of its files, unless the recipe overrides it. */
async function licencesOf(config: NpmConfig | DebianConfig, parts: readonly Part[]): Promise<Licences> {
  const { licence } = config;
  if (licence !== undefined) return { licenceOf: () => licence };
  if (config.kind === "npm") {
    const [part] = parts;
    const manifest = part === undefined ? undefined : await firstFile(part, (path) => path === "package.json");
    let stated = manifest === undefined ? UNKNOWN : packageJsonLicence(manifest);
    if (stated === UNKNOWN && part !== undefined) {
      const text = await firstFile(part, (path) => !path.includes("/") && isLicenceFile(path));
      stated = text === undefined ? UNKNOWN : licenceOfText(text);
    }
    return { licenceOf: () => stated };
  }
  const wanted = copyrightOf(config);
  // Of a source package the small archive of the packaging holds it; older ones have a single archive.
  const places = [...parts].sort((a, b) => Number(isPackaging(b.file)) - Number(isPackaging(a.file)));
  let elsewhere: string | undefined;
  for (const part of places) {
    const links = new Map<string, string>();
    const text = await firstFile(
      part,
      (path) => path === wanted,
      (path, target) => void links.set(path, target),
    );
    if (text !== undefined) return { licenceOf: debianCopyright(text, config.form) };
    const target = linked(wanted, links);
    if (target === undefined) continue;
    const there = await firstFile(part, (path) => path === target);
    if (there !== undefined) return { licenceOf: debianCopyright(there, config.form) };
    elsewhere = target;
  }
  return { licenceOf: () => UNKNOWN, ...(elsewhere === undefined ? {} : { elsewhere }) };
}

/** Where a Debian package says what its files are under. */
function copyrightOf(config: NpmConfig | DebianConfig): string {
  if (config.kind === "npm") return "package.json";
  return config.form === "source" ? "debian/copyright" : `usr/share/doc/${config.package}/copyright`;
}

/** Where links lead from a path, of which they may be the end or a folder; undefined if there is none of them. */
function linked(path: string, links: ReadonlyMap<string, string>): string | undefined {
  let at = path;
  for (let step = 0; step < MAX_LINKS; step++) {
    const link = [at, posix.dirname(at)].find((one) => links.has(one));
    if (link === undefined) break;
    const target = posix.resolve("/", posix.dirname(link), links.get(link)!);
    at = (target + at.slice(link.length)).slice(1);
  }
  return at === path ? undefined : at;
}

/** Links followed from one to the next; more are a loop. */
const MAX_LINKS = 8;
