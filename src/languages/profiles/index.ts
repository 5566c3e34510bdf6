import type { Language } from "../../base/index.js";
import type { Profile } from "../_profile.js";
import { c } from "./c.js";
import { csharp } from "./csharp.js";
import { go } from "./go.js";
import { java } from "./java.js";
import { javascript } from "./javascript.js";
import { php } from "./php.js";
import { python } from "./python.js";
import { ruby } from "./ruby.js";
import { typescript } from "./typescript.js";

/** What the room knows about each language. */
export const PROFILES: Readonly<Record<Language, Profile>> = {
  python,
  java,
  javascript,
  typescript,
  csharp,
  c,
  ruby,
  go,
  php,
};
