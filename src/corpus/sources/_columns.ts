import type { Language } from "../../base/index.js";
import { allOf, toSpdx, UNKNOWN } from "./licences/expression.js";
import type { StackConfig } from "./schema.js";

/** What the columns are called in The Stack, its second version, and data sets made after them; the first there is. */
const USUAL = {
  content: ["content", "code", "text"],
  lang: ["lang", "language", "programming_language"],
  path: ["path", "max_stars_repo_path", "file_path", "repo_path"],
  licence: ["detected_licenses", "max_stars_repo_licenses", "licenses", "license", "licence"],
  repository: ["repo_name", "max_stars_repo_name", "repository_name", "repo"],
} as const;

export type Columns = { readonly content: string } & Readonly<
  Partial<Record<"lang" | "path" | "licence" | "repository", string>>
>;

/**
 * Finds the columns of a data set.
 *
 * @param needsLicence whether files without a stated licence are kept out, so that its column has to be there
 * @returns them, or what is missing
 */
export function findColumns(
  there: readonly string[],
  config: StackConfig,
  needsLicence: boolean,
): Columns | { readonly missing: string } {
  const names = new Set(there);
  const found: Partial<Record<keyof typeof USUAL, string>> = {};
  for (const key of Object.keys(USUAL) as (keyof typeof USUAL)[]) {
    const wanted = config.columns[key];
    if (wanted !== undefined && !names.has(wanted)) return { missing: complaint(`a column ${wanted}`, there) };
    const name = wanted ?? USUAL[key].find((usual) => names.has(usual));
    if (name !== undefined) found[key] = name;
  }
  const { content } = found;
  if (content === undefined) return { missing: complaint("a column content", there) };
  if (found.lang === undefined && found.path === undefined)
    return { missing: complaint("a column lang or path", there) };
  if (needsLicence && found.licence === undefined) {
    return { missing: `${complaint("a column of licences", there)}; state licence in the config if all have the same` };
  }
  return { ...found, content };
}

function complaint(expected: string, there: readonly string[]): string {
  return `expected ${expected}, got ${there.slice(0, 20).join(", ")}`;
}

/** The languages as data sets write them; others are undefined. */
export function languageNamed(name: unknown): Language | undefined {
  return typeof name === "string" ? NAMES.get(name.trim().toLowerCase()) : undefined;
}

const NAMES: ReadonlyMap<string, Language> = new Map([
  ["python", "python"],
  ["java", "java"],
  ["javascript", "javascript"],
  ["typescript", "typescript"],
  ["tsx", "typescript"],
  ["c#", "csharp"],
  ["c-sharp", "csharp"],
  ["csharp", "csharp"],
  ["c", "c"],
  ["ruby", "ruby"],
  ["go", "go"],
  ["php", "php"],
]);

/** Ending of a made-up file name. */
export const ENDINGS: Readonly<Record<Language, string>> = {
  python: "py",
  java: "java",
  javascript: "js",
  typescript: "ts",
  csharp: "cs",
  c: "c",
  ruby: "rb",
  go: "go",
  php: "php",
};

/** A licence column's value: one, or a list of all that were found. */
export function columnLicence(value: unknown): string {
  const each = (Array.isArray(value) ? value : [value]).filter(
    (one): one is string => typeof one === "string" && one !== "",
  );
  return each.length === 0 ? UNKNOWN : allOf(each.map(toSpdx));
}
