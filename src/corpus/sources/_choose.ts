import { sha256 } from "../../base/index.js";
import { languageOfPath } from "../../languages/index.js";
import { globsToRegExp } from "../_glob.js";
import type { SourceConfig } from "./schema.js";

/** Which paths an entry of the config lets through: `paths`, `exclude` and `languages` together. */
export function chooser(config: SourceConfig): (path: string) => boolean {
  const only = globsToRegExp(config.paths);
  const except = globsToRegExp(config.exclude);
  const languages = config.languages === undefined ? undefined : new Set(config.languages);
  return (path) => {
    if (only !== undefined && !only.test(path)) return false;
    if (except?.test(path)) return false;
    if (languages === undefined) return true;
    const language = languageOfPath(path);
    return language !== undefined && languages.has(language);
  };
}

/** Hash of what was read (its parts) and of what the config chooses from it; where things lie does not matter. */
export function fingerprintOf(config: SourceConfig, ...content: readonly string[]): string {
  const { paths, exclude, languages, licence } = config;
  return sha256(JSON.stringify([config.kind, content, { paths, exclude, languages, licence }]));
}
