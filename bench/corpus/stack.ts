import { LANGUAGES, type Language } from "../../src/base/index.js";

/** Files of The Stack in all nine languages; the table's rows add up to 6% less than the total it states. */
const STACK_TOTAL = 237_961_548;
/** The same by language (Zhang et al. 2024, "Code Representation Learning At Scale", appendix). */
const STACK_FILES: Readonly<Record<Language, number>> = {
  python: 24_214_270,
  java: 42_429_211,
  javascript: 40_112_121,
  typescript: 19_589_267,
  csharp: 21_702_269,
  c: 21_383_832,
  ruby: 7_205_146,
  go: 11_653_185,
  php: 34_851_418,
};

/** What one language of a measured sample took. */
export interface Measured {
  readonly files: number;
  readonly seconds: number;
}

/**
 * Core-hours for the 237,961,548 files of The Stack if each took as long as ours of its language did on average (in the table's proportions);
 * languages without a measurement take the mean of the others.
 */
export function stackCost(measured: Readonly<Partial<Record<Language, Measured>>>): {
  readonly files: number;
  readonly coreHours: number;
  readonly measuredLanguages: number;
} {
  const known = LANGUAGES.filter((lang) => (measured[lang]?.files ?? 0) > 0);
  const perFile = (lang: Language): number => measured[lang]!.seconds / measured[lang]!.files;
  const mean = known.reduce((sum, lang) => sum + perFile(lang), 0) / Math.max(1, known.length);
  let [files, seconds] = [0, 0];
  for (const lang of LANGUAGES) {
    files += STACK_FILES[lang];
    seconds += STACK_FILES[lang] * (known.includes(lang) ? perFile(lang) : mean);
  }
  return { files: STACK_TOTAL, coreHours: ((seconds / files) * STACK_TOTAL) / 3600, measuredLanguages: known.length };
}
