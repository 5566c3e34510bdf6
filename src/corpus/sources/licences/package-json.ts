import { toSpdx, UNKNOWN } from "./expression.js";

/**
 * The licence a `package.json` states, as an SPDX expression: the `license` field, its old form as an object, or the old
 * `licenses` list, of which one may be chosen.
 */
export function packageJsonLicence(text: string): string {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return UNKNOWN;
  }
  if (typeof manifest !== "object" || manifest === null) return UNKNOWN;
  const { license, licenses } = manifest as { license?: unknown; licenses?: unknown };
  if (Array.isArray(license ?? licenses)) {
    const each = ((license ?? licenses) as unknown[]).map(typeOf).filter((one) => one !== UNKNOWN);
    return each.length === 0
      ? UNKNOWN
      : each.map((one) => (each.length > 1 && / /.test(one) ? `(${one})` : one)).join(" OR ");
  }
  return typeOf(license ?? licenses);
}

function typeOf(value: unknown): string {
  if (typeof value === "string") return toSpdx(value);
  if (typeof value !== "object" || value === null) return UNKNOWN;
  const { type } = value as { type?: unknown };
  return typeof type === "string" ? toSpdx(type) : UNKNOWN;
}
