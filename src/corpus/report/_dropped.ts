import { LANGUAGES, type Language } from "../../base/index.js";
import { readDropped } from "../read.js";
import type { CorpusManifest, DroppedSample } from "../types.js";
import type { DroppedRule } from "./types.js";

const SAMPLES = 10;

/**
 * The rules of the manifest with samples of what they dropped, the busiest first. The samples of a rule on functions are taken from all languages in turn.
 *
 * @throws as {@link readDropped}
 */
export async function droppedRules(folder: string, manifest: CorpusManifest): Promise<DroppedRule[]> {
  const samples = await readDropped(folder);
  const functions = new Map<string, Partial<Record<Language, number>>>();
  for (const lang of LANGUAGES) {
    for (const [rule, count] of Object.entries(manifest.languages[lang]?.dropped ?? {})) {
      const byLanguage = functions.get(rule) ?? {};
      byLanguage[lang] = count;
      functions.set(rule, byLanguage);
    }
  }
  const rules: DroppedRule[] = [];
  for (const [rule, languages] of functions) {
    const total = Object.values(languages).reduce((sum, count) => sum + count, 0);
    const found = LANGUAGES.map((lang) => samples.functions[lang]?.[rule] ?? []);
    rules.push({ rule, of: "functions", total, languages, samples: inTurn(found) });
  }
  for (const [rule, total] of Object.entries(manifest.skippedFiles)) {
    rules.push({ rule, of: "files", total, languages: {}, samples: (samples.files[rule] ?? []).slice(0, SAMPLES) });
  }
  return rules.sort((a, b) => b.total - a.total || (a.rule < b.rule ? -1 : 1));
}

function inTurn(lists: readonly (readonly DroppedSample[])[]): DroppedSample[] {
  const taken: DroppedSample[] = [];
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  for (let i = 0; i < longest && taken.length < SAMPLES; i++) {
    for (const list of lists) {
      const sample = list[i];
      if (sample !== undefined && taken.length < SAMPLES) taken.push(sample);
    }
  }
  return taken;
}
