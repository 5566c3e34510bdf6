import { loadLanguage } from "../languages/index.js";
import type { FindIdentifiers } from "./types.js";

/** The names that a document defines, by its language's parser. */
export const identifiersByLanguage: FindIdentifiers = async (text, lang) =>
  (await loadLanguage(lang)).identifiers(text);
