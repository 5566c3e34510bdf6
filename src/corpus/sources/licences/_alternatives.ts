import type { Named } from "./_names.js";

/** How much of a text may say that its reader has a choice. */
const HEAD = 1500;

const CHOICE =
  /\b(dual|tri|double|triple)(ly)?[- ]licen[sc]ed?\b|\bunder (a|the) (dual|tri)\b|\b(under|the terms of) either\b|\beither of\b|\bmay (choose|select) (which|one|any|either|between|to be licensed)\b|\bchoice of (one|two|the following)\b|\b(any )?one of the following licen|\b(at your|of your) (choice|option)\b(?!\)? ?(,|any later|any newer))/;

/** Names in the order in which they are tried: a longer one before what it contains. */
const NAMES: readonly (readonly [name: RegExp, spdx: (match: RegExpExecArray) => string])[] = [
  [
    /\bgnu (affero|lesser|library)? ?general public licen[sc]e,?(?: \(l?gpl\))?,? ?(?:version |v)?(\d(?:\.\d)?)?( or later|\+)?/g,
    gnu,
  ],
  [/\b(a|l)?gpl[- ]?v?(\d(?:\.\d)?)?(\+|-or-later| or later)?(?!\w)/g, gnu],
  [/\bapache(?: software)?(?:[- ]licen[sc]e)?,?[- ]?(?:version |v)?2(?:\.0)?\b/g, () => "Apache-2.0"],
  [/\b(?:3-clause bsd|bsd[- ]?3(?:-clause)?|(?:new|modified|revised) bsd)\b/g, () => "BSD-3-Clause"],
  [/\b(?:2-clause bsd|bsd[- ]?2(?:-clause)?|simplified bsd)\b/g, () => "BSD-2-Clause"],
  [/\bmit\b/g, () => "MIT"],
  [/\bisc\b/g, () => "ISC"],
  [/\bzlib\b/g, () => "Zlib"],
  [/\bboost software licen[sc]e\b|\bbsl-1\.0\b/g, () => "BSL-1.0"],
  [/\bunlicen[sc]e\b/g, () => "Unlicense"],
  [/\bcc0(?:-1\.0)?\b/g, () => "CC0-1.0"],
  [/\bbsd\b/g, () => "LicenseRef-BSD"],
  [/\b(?:mozilla public licen[sc]e,? ?(?:version |v\.? ?)?|mpl[- ]?v?)(\d\.\d)/g, (match) => `MPL-${match[1]}`],
  [/\b(?:eclipse public licen[sc]e,? ?(?:version |v\.? ?)?|epl[- ]?v?)(\d\.\d)/g, (match) => `EPL-${match[1]}`],
];

function gnu(match: RegExpExecArray): string {
  const kind = { a: "A", affero: "A", l: "L", lesser: "L", library: "L" }[match[1] ?? ""] ?? "";
  const version = match[2] ?? { A: "3", L: "2" }[kind] ?? "1";
  const later = match[2] === undefined || match[3] !== undefined;
  return `${kind}GPL-${version.includes(".") ? version : `${version}.0`}-${later ? "or-later" : "only"}`;
}

/**
 * The licences among which the first lines of a text let one choose, as an `OR`; undefined if they offer no choice, or
 * name fewer than two. Only the sentence that offers it counts: what another one says holds besides.
 *
 * @param plain text as `plainText` makes it, without the licences' own texts
 * @param texts those, for which the first lines end where the first of them begins
 */
export function alternatives(plain: string, texts: readonly Named[]): string | undefined {
  const head = plain.slice(0, Math.min(HEAD, ...texts.filter(({ at }) => at > 0).map(({ at }) => at)));
  for (const sentence of head.split(/\.\s/)) {
    if (!CHOICE.test(sentence)) continue;
    const named: Named[] = [];
    let left = sentence;
    for (const [name, spdx] of NAMES) {
      left = left.replace(name, (...match) => {
        const at = match.find((part) => typeof part === "number")!;
        const found = spdx(match as unknown as RegExpExecArray);
        if (!named.some((one) => one.spdx === found)) named.push({ spdx: found, at });
        return "_".repeat((match[0] as string).length);
      });
    }
    named.sort((a, b) => a.at - b.at);
    const [first, last] = [named[0], named.at(-1)];
    if (first === undefined || last === undefined || first === last) continue;
    if (/\bor\b/.test(sentence.slice(first.at, last.at))) return named.map(({ spdx }) => spdx).join(" OR ");
  }
  return undefined;
}
