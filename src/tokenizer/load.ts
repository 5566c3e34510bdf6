import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf, messageOf, UserError } from "../base/index.js";
import { Tokenizer, type SpecialTokens } from "./tokenizer.js";

/**
 * Loads a tokenizer from a folder that holds `tokenizer.json`, or from that file by any name. The names of its special
 * tokens are looked for in `tokenizer_config.json` and `special_tokens_map.json` beside it, then among the common ones.
 *
 * @param options.trusted its checksum was compared: see {@link Tokenizer}
 * @throws UserError `tokenizer.missing`, `tokenizer.invalid`
 */
export async function loadTokenizer(path: string, options: { trusted?: boolean } = {}): Promise<Tokenizer> {
  const isFolder = await stat(path).then(
    (info) => info.isDirectory(),
    () => !basename(path).endsWith(".json"),
  );
  const folder = isFolder ? path : dirname(path);
  const file = isFolder ? join(path, "tokenizer.json") : path;
  const source = await readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError(
      "tokenizer.missing",
      `${file}: expected a tokenizer, got ${errnoOf(error) ?? messageOf(error)}`,
      {
        fix: "Train one with `lodestone tokenizer train` or point to a folder that holds a tokenizer.json",
        cause: error,
      },
    );
  });
  const named = {
    ...(await readNames(join(folder, "special_tokens_map.json"))),
    ...(await readNames(join(folder, "tokenizer_config.json"))),
  };
  return new Tokenizer(source, specialTokens(source, named), file, options.trusted);
}

/** Names that well-known tokenizers give these tokens, the most telling first. */
const COMMON = {
  pad: ["<pad>", "[PAD]", "<|pad|>"],
  eos: ["<eos>", "</s>", "<|endoftext|>", "[SEP]", "<|eos|>"],
  mask: ["<mask>", "[MASK]", "<|mask|>"],
} as const;

function specialTokens(source: string, named: SpecialTokens): SpecialTokens {
  const has = (token: string): boolean => source.includes(JSON.stringify(token));
  const found: { -readonly [Role in keyof SpecialTokens]: SpecialTokens[Role] } = {};
  for (const role of ["pad", "eos", "mask"] as const) {
    const name = named[role] ?? COMMON[role].find(has);
    if (name !== undefined) found[role] = name;
  }
  return found;
}

/** `pad_token` and its like are a string or `{content}`. A missing file names nothing. */
async function readNames(path: string): Promise<SpecialTokens> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return {};
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new UserError("tokenizer.invalid", `${path}: expected JSON, but ${messageOf(error)}`, {
      fix: "Correct or remove the file",
      cause: error,
    });
  }
  const names: Record<string, string> = {};
  for (const role of ["pad", "eos", "mask"]) {
    const value = json[`${role}_token`];
    if (typeof value === "string") names[role] = value;
    else if (typeof value === "object" && value !== null && "content" in value && typeof value.content === "string") {
      names[role] = value.content;
    }
  }
  return names;
}
