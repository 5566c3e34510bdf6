import { access, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

/** One `.gitignore` and the folder that its patterns start from. */
interface RuleFile {
  readonly folder: string;
  readonly rules: Ignore;
}

/** The `.gitignore` files that hold for a folder, outermost first. */
export type IgnoreRules = readonly RuleFile[];

/** Rules from the root of the git repository that `folder` lies in, down to its parent. */
export async function rulesAbove(folder: string): Promise<IgnoreRules> {
  const above: string[] = [];
  for (let at = resolve(folder); !(await exists(join(at, ".git"))); at = dirname(at)) {
    const parent = dirname(at);
    if (parent === at) return []; // Not in a repository: what lies above has no say.
    above.unshift(parent);
  }
  let rules: IgnoreRules = [];
  for (const parent of above) {
    rules = await withRulesOf(parent, rules);
    // Who names an ignored folder (an installed package) wants what is in it.
    if (isIgnored(resolve(folder), true, rules)) return [];
  }
  return rules;
}

/** In order: what `.lodestoneignore` says of a path decides over `.gitignore`. */
export const IGNORE_FILES: readonly string[] = [".gitignore", ".lodestoneignore"];

/** `outer` and the folder's own ignore files, if it has any. */
export async function withRulesOf(folder: string, outer: IgnoreRules): Promise<IgnoreRules> {
  let rules = outer;
  for (const name of IGNORE_FILES) {
    const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
    if (text !== undefined) rules = [...rules, { folder, rules: ignore().add(text) }];
  }
  return rules;
}

/** Whether git would pass over a path. The innermost file that says something about it decides. */
export function isIgnored(path: string, isFolder: boolean, files: IgnoreRules): boolean {
  let ignored = false;
  for (const { folder, rules } of files) {
    const name = relative(folder, path).split(sep).join("/");
    const said = rules.test(isFolder ? `${name}/` : name);
    if (said.ignored) ignored = true;
    else if (said.unignored) ignored = false;
  }
  return ignored;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
