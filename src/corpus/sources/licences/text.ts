import { alternatives } from "./_alternatives.js";
import { allOf, toSpdx, UNKNOWN } from "./expression.js";
import { namedLicences, type Named } from "./_names.js";
import { SILENT, SPEAKING, type LicenceText } from "./_texts.js";

/**
 * Names of files that hold a project's licence, in its root folder. Those of its documentation, of what it is built with
 * or of other people's parts are none.
 */
export function isLicenceFile(name: string): boolean {
  return (
    /^((un)?licen[cs]e|copying|[\w.]+-licen[cs]e)([.-].*)?$/i.test(name) &&
    !/\.(js|ts|py|rb|go|php|java|cs|c|h|sh|csv|json|ya?ml)$/i.test(name) &&
    !/^licen[cs]e[.-](docs?|documentation|binary|dependencies|third-?part(y|ies)|3rd-?party)\b/i.test(name)
  );
}

/** A root's folder of licences, which is looked into where the root has no licence file itself. */
export function isLicenceFolder(name: string): boolean {
  return /^(licen[cs]es?|legal)$/i.test(name);
}

/**
 * Which licences a licence file holds, as an SPDX expression: of texts, told by sentences that only they have, and of other
 * than permissive licences that it names. All of them together, in their order; a choice that its first lines offer is an
 * `OR`. Where it names a licence that has no identifier it is {@link UNKNOWN}.
 */
export function licenceOfText(text: string): string {
  return recognise(text) ?? UNKNOWN;
}

/** The licences of several files, all of them together; undefined if none is recognised in any of them. */
export function licenceOfTexts(texts: readonly string[]): string | undefined {
  const said = texts.map(recognise).filter((one) => one !== undefined);
  return said.length === 0 ? undefined : allOf(said);
}

function recognise(text: string): string | undefined {
  const identifier = /SPDX-License-Identifier:[ \t]*([\w.+() -]+)/.exec(text.slice(0, 1500))?.[1];
  const stated = identifier === undefined || toSpdx(identifier) === UNKNOWN ? undefined : toSpdx(identifier);
  const { found, rest } = cutTexts(withoutRemarks(plainText(text)));
  for (const group of SILENT) {
    const one = group.find(({ signs }) => signs.every((sign) => sign.test(rest)));
    if (one !== undefined) found.push({ spdx: one.spdx, at: one.signs[0]!.exec(rest)!.index });
  }
  const isChoice = stated !== undefined && / OR /.test(stated);
  const choice = isChoice ? stated : alternatives(rest, found);
  if (stated !== undefined && !isChoice) found.push(...stated.split(" AND ").map((spdx) => ({ spdx, at: -1 })));
  const all = [...found, ...namedLicences(rest)].sort((a, b) => a.at - b.at);
  if (all.some(({ spdx }) => spdx === UNKNOWN)) return UNKNOWN;
  if (all.length === 0 && choice === undefined) return undefined;
  return allOf([...(choice === undefined ? [] : [choice]), ...others(all, choice ?? "")]);
}

/** A licence's text or notice for comparing: lower case, no marks of comments, no quotes, single spaces. */
export function plainText(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\s*#>/]+/g, " ")
    .replace(/[“”"'`]/g, "");
}

/** Cuts texts out that name other licences; a mark stays in their place, so that the order is kept. */
function cutTexts(plain: string): { found: Named[]; rest: string } {
  const found: Named[] = [];
  let rest = plain;
  for (const { spdx, signs, ends } of SPEAKING) {
    for (let at = beginning(rest, signs); at !== undefined; at = beginning(rest, signs)) {
      const end = endOf(rest, at, ends ?? []);
      found.push({ spdx, at });
      // As long as it was: places stay what they are.
      rest = `${rest.slice(0, at)}${"_".repeat(end - at)}${rest.slice(end)}`;
    }
  }
  return { found, rest };
}

function beginning(plain: string, signs: LicenceText["signs"]): number | undefined {
  return signs.every((sign) => sign.test(plain)) ? signs[0]!.exec(plain)!.index : undefined;
}

/** A text that breaks off ends with the whole. */
function endOf(plain: string, start: number, ends: readonly RegExp[]): number {
  for (const end of ends) {
    const match = end.exec(plain.slice(start));
    if (match !== null) return start + match.index + match[0].length;
  }
  return plain.length;
}

/** Texts and names that a choice does not cover, each family once: a text's name beside it says which versions. */
function others(all: readonly Named[], choice: string): string[] {
  const kept: string[] = [];
  for (const { spdx } of all) {
    if (new RegExp(`(^|[( ])${familyOf(spdx)}(-|\\b)`).test(choice)) continue;
    const same = kept.findIndex((one) => familyOf(one) === familyOf(spdx));
    if (same === -1 || !/^[AL]?GPL$/.test(familyOf(spdx))) kept.push(spdx);
    else if (kept[same]!.replace("-only", "-or-later") === spdx) kept[same] = spdx;
  }
  return kept;
}

function familyOf(spdx: string): string {
  return /^[A-Za-z]+/.exec(spdx)?.[0] ?? spdx;
}

/** Sentences that name licences under which nothing of the project itself is given, or only besides another. */
export function withoutRemarks(plain: string): string {
  return REMARKS.reduce((text, remark) => text.replace(remark, " "), plain);
}

const SENTENCE = String.raw`(?:[^.]|\.\d|\.\w{2,4} )*`;

const REMARKS: readonly RegExp[] = [
  // LLVM's exception to Apache-2.0, and what Python's licence tells of its history.
  /in addition, if you combine or link compiled forms of this software with software that is licensed under the gplv2/g,
  /conflicts with the conditions of the gplv2/g,
  /(previously|originally) distributed under the gnu general public license( \(gpl\))?/g,
  /\bgpl[- ]compatible/g,
  // A file that is not under its project's licence, and says what that is.
  /\bthe (entire )?rest of \w+ is licensed under the terms of the gnu general public license(,? version \d)?/g,
  // A licence of its own for documentation.
  new RegExp(String.raw`\b(the )?documentation( components?[^.]{0,40})? (is|are) licensed under${SENTENCE}\.`, "g"),
  // A second licence that may be chosen in place of the first, with Debian's pointer to its text.
  /alternatively,? .{0,300}?in which case the provisions of .{0,900}?under either the \w+ or the \w+\.?( on debian systems.{0,160}?common-licenses l?gpl(-[\d.]+)?)?/g,
  /alternatively,? (this|the|it|you) .{0,80}?\b(distributed|redistributed|used|licensed|available|redistribute|use) .{0,60}?under .{0,120}?(general public licen[sc]e|\bl?gpl\b)/g,
];
