import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { messageOf, parseConfig, UserError } from "../base/index.js";

type Plain = Readonly<Record<string, unknown>>;

/**
 * The config of `--config FILE` (JSON), completed by options, validated.
 *
 * @param complete adds what the options say to the file's content (`{}` where there is no file)
 * @throws UserError `config.unreadable`, `config.unknown-key`, `config.invalid`
 */
export async function readConfig<T extends z.ZodType>(
  schema: T,
  file: string | undefined,
  complete: (content: Plain) => unknown,
): Promise<Readonly<z.output<T>>> {
  return parseConfig(schema, complete(file === undefined ? {} : await readObject(file)), file ?? "options");
}

/** A JSON object from a file. @throws UserError `config.unreadable` */
export async function readObject(path: string): Promise<Plain> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unreadable(path, Array.isArray(value) ? "an array" : JSON.stringify(value));
  }
  return value as Plain;
}

function unreadable(path: string, got: string, cause?: unknown): UserError {
  return new UserError("config.unreadable", `${path}: expected a JSON object, got ${got}`, {
    fix: "Correct the file",
    cause,
  });
}

/** `over` on top of `base`; plain objects are merged key by key, everything else is replaced. */
export function merge(base: Plain, over: Plain): Plain {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isPlain(below) && isPlain(value) ? merge(below, value) : value;
  }
  return merged;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
