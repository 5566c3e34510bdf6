import { parseConfig } from "../../base/index.js";
import { openCodeSearchNet } from "./codesearchnet.js";
import { openDirectory } from "./directory.js";
import { openGit } from "./git.js";
import { licenceRules, type LicenceRules } from "./licences/expression.js";
import { openPackage } from "./packages.js";
import { readRecipe } from "./recipe.js";
import { buildSourceSchema, type LicencesConfig, type SourceConfig, type SourceInput } from "./schema.js";
import { openStack } from "./stack.js";
import type { Source } from "./types.js";

export interface OpenOptions {
  /** Where `corpus fetch` put what it downloaded. */
  readonly cache?: string | undefined;
  /** Folder of bare git repositories. */
  readonly mirrors?: string | undefined;
  readonly licences?: Partial<LicencesConfig> | undefined;
}

/**
 * Opens the sources of a config in their order, those of a recipe in its place. Nothing is downloaded. What cannot be
 * had (not in the cache, no such mirror) is a source all the same, whose only event says so.
 *
 * @throws UserError `corpus.source` if a required folder or file of this machine is not there, `recipe.*`, `config.*`
 */
export async function openSources(sources: readonly SourceInput[], options: OpenOptions = {}): Promise<Source[]> {
  const opened: Source[] = [];
  for (const [i, input] of sources.entries()) {
    const config = parseConfig(buildSourceSchema, input, `sources.${i}`);
    if (config.kind !== "recipe") {
      opened.push(await openSource(config, options, licenceRules(options.licences)));
      continue;
    }
    const recipe = await readRecipe(config.path);
    const rules = licenceRules(options.licences, recipe.licences);
    for (const source of recipe.sources) opened.push(await openSource(source, options, rules));
  }
  return opened;
}

async function openSource(config: SourceConfig, options: OpenOptions, rules: LicenceRules): Promise<Source> {
  switch (config.kind) {
    case "directory":
      return openDirectory(config, rules);
    case "git":
      return openGit(config, options, rules);
    case "npm":
    case "debian":
      return openPackage(config, options.cache, rules);
    case "stack":
      return openStack(config, rules);
    case "codesearchnet":
      return openCodeSearchNet(config, rules);
  }
}
