import { internalError, type Language } from "../../base/index.js";
import type { Profile } from "../_profile.js";
import { javascript } from "./javascript.js";
import { typescript } from "./typescript.js";

const known = { javascript, typescript };

/** What the room knows about each language. */
export const PROFILES: Readonly<Partial<Record<Language, Profile>>> = known;
export function profileOf(language: Language): Profile {
  const profile = PROFILES[language];
  if (profile === undefined) throw internalError(`no profile for ${language}`);
  return profile;
}
