import correct from "spdx-correct";
import parse from "spdx-expression-parse";
import type { LicencesConfig } from "../schema.js";
import { PERMISSIVE } from "./permissive.js";

/** SPDX's word for a licence that nobody states. */
export const UNKNOWN = "NOASSERTION";

/** Which licences are let in. */
export interface LicenceRules {
  readonly allow: ReadonlySet<string>;
  readonly includeOthers: boolean;
}

/** @param recipe the recipe's own list, which stands unless the config has one */
export function licenceRules(config: Partial<LicencesConfig> = {}, recipe?: readonly string[]): LicenceRules {
  return { allow: new Set(config.allow ?? recipe ?? PERMISSIVE), includeOthers: config.includeOthers ?? false };
}

/**
 * Whether an expression can be satisfied with allowed licences alone: of `A OR B` one is enough, of `A AND B` both must
 * be. An exception (`WITH`) only adds permissions, so the licence decides; `+` stands for the version named.
 *
 * `isAllowed("MIT OR GPL-2.0-only", rules)` is true, `isAllowed("MIT AND GPL-2.0-only", rules)` is not.
 */
export function isAllowed(expression: string, rules: LicenceRules): boolean {
  if (rules.includeOthers || rules.allow.has(expression)) return true;
  let known = decided.get(rules);
  if (known === undefined) decided.set(rules, (known = new Map()));
  let answer = known.get(expression);
  if (answer === undefined) {
    const tree = parsed(expression);
    answer = tree !== undefined && satisfied(tree, rules.allow);
    known.set(expression, answer);
  }
  return answer;
}

/** Files of one source share a handful of expressions. */
const decided = new WeakMap<LicenceRules, Map<string, boolean>>();

function satisfied(node: parse.Info, allow: ReadonlySet<string>): boolean {
  if ("conjunction" in node) {
    return node.conjunction === "or"
      ? satisfied(node.left, allow) || satisfied(node.right, allow)
      : satisfied(node.left, allow) && satisfied(node.right, allow);
  }
  if (allow.has(node.license)) return true;
  const gnu = /^([AL]?GPL-\d\.\d)(-only|-or-later)?$/.exec(node.license);
  if (gnu === null) return false;
  // `GPL-2.0` and `GPL-2.0+` are the old names of `GPL-2.0-only` and `GPL-2.0-or-later`.
  const later = gnu[2] === "-or-later" || node.plus === true;
  return allow.has(`${gnu[1]}${later ? "-or-later" : "-only"}`) || allow.has(`${gnu[1]}${later ? "+" : ""}`);
}

function parsed(expression: string): parse.Info | undefined {
  try {
    return parse(expression);
  } catch {
    return undefined;
  }
}

/**
 * What somebody wrote as a licence, as an SPDX expression: valid ones stay, slips are mended (`Apache 2`, `MIT License`,
 * `GPLv2`), the rest is {@link UNKNOWN}.
 */
export function toSpdx(written: string): string {
  const text = written.trim();
  if (text === "" || /^(unlicensed|see licen[cs]e in .*|none|custom|other|proprietary)$/i.test(text)) return UNKNOWN;
  if (parsed(text) !== undefined) return text;
  return correct(text) ?? UNKNOWN;
}

/** Conjunction of expressions, each once; {@link UNKNOWN} of none. */
export function allOf(expressions: readonly string[]): string {
  const flat = expressions.flatMap((one) => (/[()]| OR /i.test(one) ? [one] : one.split(" AND ")));
  const each = [...new Set(flat)];
  if (each.length <= 1) return each[0] ?? UNKNOWN;
  if (each.includes(UNKNOWN)) return UNKNOWN; // SPDX has no conjunction with NOASSERTION; unknown stays unknown.
  return each.map((one) => (/ OR /i.test(one) ? `(${one})` : one)).join(" AND ");
}
