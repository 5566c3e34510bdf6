import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
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
      yield* archivedFiles(parts, config, await licencesOf(config, parts), gate, { ...options, accept });
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

/** What the package itself says of its files, unless the recipe overrides it. */
async function licencesOf(config: NpmConfig | DebianConfig, parts: readonly Part[]): Promise<(path: string) => string> {
  const { licence } = config;
  if (licence !== undefined) return () => licence;
  if (config.kind === "npm") {
    const [part] = parts;
    const manifest = part === undefined ? undefined : await firstFile(part, (path) => path === "package.json");
    let stated = manifest === undefined ? UNKNOWN : packageJsonLicence(manifest);
    if (stated === UNKNOWN && part !== undefined) {
      const text = await firstFile(part, (path) => !path.includes("/") && isLicenceFile(path));
      stated = text === undefined ? UNKNOWN : licenceOfText(text);
    }
    return () => stated;
  }
  const isCopyright =
    config.form === "source"
      ? (path: string) => path === "debian/copyright"
      : (path: string) => path === `usr/share/doc/${config.package}/copyright`;
  // Of a source package the small archive of the packaging holds it; older ones have a single archive.
  const places = [...parts].sort((a, b) => Number(isPackaging(b.file)) - Number(isPackaging(a.file)));
  for (const part of places) {
    const text = await firstFile(part, isCopyright);
    if (text !== undefined) return debianCopyright(text, config.form);
  }
  return () => UNKNOWN;
}
