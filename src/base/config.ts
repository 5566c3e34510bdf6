import { z } from "zod";
import { UserError } from "./errors.js";

/**
 * Validates plain data against a strict zod schema and freezes it, deeply.
 *
 * @throws UserError `config.invalid` naming every offending key, what was expected and what came.
 */
export function parseConfig<T extends z.ZodType>(schema: T, value: unknown, where: string): Readonly<z.output<T>> {
  const result = schema.safeParse(value);
  if (result.success) return deepFreeze(result.data) as Readonly<z.output<T>>;
  const unknown = result.error.issues.some((issue) => issue.code === "unrecognized_keys");
  const lines = result.error.issues.map((issue) => {
    const path = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    return `${path}${issue.message}`;
  });
  throw new UserError(unknown ? "config.unknown-key" : "config.invalid", `${where}: ${lines.join("; ")}`, {
    fix: unknown ? `Known keys: ${knownKeys(schema)}` : "Correct the value and run again",
  });
}

function knownKeys(schema: z.ZodType): string {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape).join(", ") : "see the documentation";
}

/** Freezes an object and everything in it (typed arrays excepted). */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
