import { sha256 } from "../base/index.js";
import type { CorpusConfig } from "./config.js";
import type { Split } from "./types.js";

/** The split of a file by hash of its source's name, or of the file: the same on every machine and in every order. */
export function splitOf(origin: string, path: string, split: CorpusConfig["split"]): Split {
  const key = split.by === "source" ? origin : `${origin}\n${path}`;
  const draw = Number.parseInt(sha256(`split\n${key}`).slice(0, 12), 16) / 2 ** 48;
  if (draw < split.test) return "test";
  return draw < split.test + split.validation ? "validation" : "train";
}
