import { UNKNOWN } from "./expression.js";

/** A licence that a text names, and where. */
export interface Named {
  readonly spdx: string;
  readonly at: number;
}

/** How far into a text short names (`GPL`) are taken for a statement about the whole. Further on they are remarks. */
const HEAD = 2000;

/**
 * Licences other than permissive ones that a text names: its full names anywhere, abbreviations at its beginning. Each
 * family once, at its first place, with the version that some mention of it gives. A licence that limits use and has no
 * SPDX identifier, or a name without the version that would tell which, is {@link UNKNOWN}.
 *
 * @param plain text as `plainText` makes it
 * @param counts whether a full name at this place says under what something is given; abbreviations then count for nothing
 */
export function namedLicences(plain: string, counts?: (at: number) => boolean): Named[] {
  const named = [...gnuLicences(plain, counts)];
  for (const [pattern, spdx, versions] of OTHERS) {
    const found = pattern.exec(plain);
    if (found === null || counts?.(found.index) === false) continue;
    if (typeof spdx === "string") named.push({ spdx, at: found.index });
    else {
      const version = versionBehind(plain, found.index + found[0].length)?.version ?? "";
      const minor = version === "" || version.includes(".") ? version : `${version}.0`;
      named.push({ spdx: versions?.includes(minor) === true ? `${spdx.family}-${minor}` : UNKNOWN, at: found.index });
    }
  }
  return named.sort((a, b) => a.at - b.at);
}

type Other = readonly [pattern: RegExp, spdx: string | { readonly family: string }, versions?: readonly string[]];

const OTHERS: readonly Other[] = [
  [/microsoft public licen[sc]e|\bms-pl\b/, "MS-PL"],
  [/microsoft reciprocal licen[sc]e|\bms-rl\b/, "MS-RL"],
  [/microsoft limited (public|reciprocal) licen[sc]e/, UNKNOWN],
  [/server side public licen[sc]e|\bsspl\b/, "SSPL-1.0"],
  [/business source licen[sc]e|\bbusl\b/, "BUSL-1.1"],
  [/\belastic licen[sc]e/, { family: "Elastic" }, ["2.0"]],
  [/mozilla public licen[sc]e/, { family: "MPL" }, ["1.0", "1.1", "2.0"]],
  [/eclipse public licen[sc]e/, { family: "EPL" }, ["1.0", "2.0"]],
  [/common public licen[sc]e/, "CPL-1.0"],
  [/common development and distribution licen[sc]e/, { family: "CDDL" }, ["1.0", "1.1"]],
  [/european union public licen[sc]e/, { family: "EUPL" }, ["1.0", "1.1", "1.2"]],
  [/open software licen[sc]e/, { family: "OSL" }, ["1.0", "2.0", "2.1", "3.0"]],
  [/creative commons attribution.{0,3}(non-?commercial|share-?alike|no-?deriv)|\bcc[- ]by-(nc|nd|sa)\b/, UNKNOWN],
  [/\bcommons clause\b|\bsplit licen[sc]e|\bpolyform |\bfunctional source licen[sc]e/, UNKNOWN],
  [/\bsustainable use licen[sc]e|\bconfluent community licen[sc]e|\bredis source available/, UNKNOWN],
  [/\b(only|solely|limited|restricted) (for|to) non-?commercial|\bnon-?commercial (use|purposes?) only/, UNKNOWN],
];

const GNU = /(?:gnu )?\(?(affero|lesser|library)?\)? ?(?:or lesser )?general public licen[sc]es?/g;
const ABBREVIATED = /(?<!common-licenses )\b(a|l)?gpl(?:[- ]?v?(\d(?:\.\d)?))?(?!-compatible|\w)/g;

const LATER = /^(\+|-or-later|[^.]{0,60}?(\bany (later|newer)|\bor (later|newer|greater|above)))/;

/** AGPL, GPL and LGPL, by name or abbreviation. */
function* gnuLicences(plain: string, counts?: (at: number) => boolean): Generator<Named> {
  const families = new Map<string, { at: number; version?: string; later: boolean }>();
  const note = (kind: string, at: number, end: number, own?: string): void => {
    const behind = versionBehind(plain, end);
    const before =
      /(?:version|v\.?) ?(\d(?:\.\d)?)( or \(?(?:at your option\)? )?any later version)? of the (?:gnu )?$/.exec(
        plain.slice(Math.max(0, at - 90), at),
      );
    const version = own ?? before?.[1] ?? behind?.version;
    const later =
      own !== undefined
        ? LATER.test(plain.slice(end, end + 60))
        : before !== null
          ? before[2] !== undefined
          : (behind?.later ?? false);
    const known = families.get(kind);
    if (known === undefined) families.set(kind, { at, later, ...(version === undefined ? {} : { version }) });
    else if (known.version === undefined && version !== undefined) {
      families.set(kind, { at: known.at, version, later });
    }
  };
  for (const match of plain.matchAll(GNU)) {
    if (counts?.(match.index) === false) continue;
    const kind = match[1] === undefined ? "GPL" : match[1] === "affero" ? "AGPL" : "LGPL";
    note(kind, match.index, match.index + match[0].length);
  }
  for (const match of plain.slice(0, counts === undefined ? HEAD : 0).matchAll(ABBREVIATED)) {
    note(`${(match[1] ?? "").toUpperCase()}GPL`, match.index, match.index + match[0].length, match[2]);
  }
  // Debian's packages hold these texts in one place and refer to it: to a version, or to the newest.
  for (const match of plain.matchAll(/common-licenses (l)?gpl(?:-(\d(?:\.\d)?))?/g)) {
    const kind = `${(match[1] ?? "").toUpperCase()}GPL`;
    if (families.get(kind)?.version === undefined) {
      const at = families.get(kind)?.at ?? match.index;
      families.set(kind, { at, later: true, ...(match[2] === undefined ? {} : { version: match[2] }) });
    }
  }
  for (const [kind, { at, version, later }] of families) yield { at, spdx: gnuIdentifier(kind, version, later) };
}

/** Without a version any version will do, as these licences themselves say. */
function gnuIdentifier(kind: string, version: string | undefined, later: boolean): string {
  if (version === undefined) return `${kind}-${{ AGPL: "3.0", LGPL: "2.0" }[kind] ?? "1.0"}-or-later`;
  return `${kind}-${version.includes(".") ? version : `${version}.0`}-${later ? "or-later" : "only"}`;
}

/** The version that is said behind a licence's name, before the next sentence but one. */
function versionBehind(plain: string, end: number): { version: string; later: boolean } | undefined {
  const behind = plain.slice(end, end + 240);
  const found = /^(.{0,110}?)(?:\bversion|\bv\.?|\bver\.|[-(]|^) ?(\d(?:\.\d)?)(?!\d)/.exec(behind);
  if (found === null || /general public licen|\bgpl\b(?!\))/.test(found[1]!)) return undefined;
  return { version: found[2]!, later: LATER.test(behind.slice(found[0].length)) };
}
