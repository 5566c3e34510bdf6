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
  const unknown = result.error.issues.find((issue) => issue.code === "unrecognized_keys");
  const lines = result.error.issues.map((issue) => {
    const path = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    return `${path}${issue.message}`;
  });
  throw new UserError(
    unknown === undefined ? "config.invalid" : "config.unknown-key",
    `${where}: ${lines.join("; ")}`,
    {
      fix: unknown === undefined ? "Correct the value and run again" : `Known keys: ${knownKeys(schema, unknown.path)}`,
    },
  );
}

/** The keys of the object at a path of the schema. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string {
  let at: unknown = schema;
  for (const key of [...path, undefined]) {
    while (at instanceof z.ZodDefault || at instanceof z.ZodPrefault || at instanceof z.ZodOptional) at = at.unwrap();
    if (key !== undefined) at = at instanceof z.ZodObject ? (at.shape as Record<PropertyKey, unknown>)[key] : undefined;
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape).join(", ") : "see the documentation";
}

/** Freezes an object and everything in it (typed arrays excepted). */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
