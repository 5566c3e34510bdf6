import { toSpdx, UNKNOWN } from "./expression.js";

/**
 * A licence as Debian's copyright files name it ("GPL-2+ or Expat", "BSD-3-clause, and Apache-2.0 with LLVM
 * exception"), as an SPDX expression. A name that SPDX does not know becomes a `LicenseRef-`. Exceptions are left out:
 * they only add permissions to a licence.
 */
export function debianToSpdx(written: string): string {
  const plain = written
    .replace(/\s+/g, " ")
    .trim()
    .replace(/\s+with\s+[^,|]*?\s*exceptions?\b/gi, "");
  if (plain === "") return UNKNOWN;
  // A comma before "and" or "or" closes what stands before it: "A or B, and C" is "(A or B) and C".
  const groups = plain.split(/,\s*(?=(?:and|or)\b)/i);
  return groups
    .map((group) => group.trim().replace(/^(and|or)\b\s*/i, (word) => `${word.trim()} `))
    .reduce((all, group, i) => {
      const [, word, rest] = /^(and|or) (.*)$/i.exec(group) ?? [undefined, undefined, group];
      const expression = disjunction(rest);
      const inner = groups.length > 1 && / (OR|AND) /.test(expression) ? `(${expression})` : expression;
      return i === 0 ? inner : `${i > 1 ? `(${all})` : all} ${(word ?? "and").toUpperCase()} ${inner}`;
    }, "");
}

function disjunction(text: string): string {
  return text
    .split(/\s+or\s+|\s*\|+\s*/i)
    .map((part) =>
      part
        .split(/\s+and\s+|\s*,\s*/i)
        .filter((name) => name !== "")
        .map(identifier)
        .join(" AND "),
    )
    .join(" OR ");
}

/** Names of DEP-5 and habits of its writers. The first that fits. */
const NAMES: readonly (readonly [name: RegExp, spdx: string])[] = [
  [/^(expat|mit\/x11|mit-expat)$/i, "MIT"],
  [/^(x11|mit)([/-].*)?$/i, "MIT"],
  [/^bsd-?2(-clauses?)?([-_].*)?$/i, "BSD-2-Clause"],
  [/^bsd-?3(-clauses?)?([-_].*)?$/i, "BSD-3-Clause"],
  [/^bsd-?4(-clauses?)?([-_].*)?$/i, "BSD-4-Clause"],
  [/^bsd([-_~.].*)?$/i, "LicenseRef-BSD"],
  [/^(apache|asl)(-?2(\.0)?)?(\+)?$/i, "Apache-2.0"],
  [/^(public-domain|pd|publicdomain)$/i, "LicenseRef-public-domain"],
  [/^(psf|python)(-2)?$/i, "PSF-2.0"],
  [/^(boost|bsl)(-1(\.0)?)?$/i, "BSL-1.0"],
  [/^cc0(-1(\.0)?)?$/i, "CC0-1.0"],
  [/^(zlib|zlib\/libpng)$/i, "Zlib"],
  [/^artistic(-1(\.0)?)?$/i, "Artistic-1.0-Perl"],
  [/^artistic-2(\.0)?$/i, "Artistic-2.0"],
  [/^php(-3(\.01?)?)?$/i, "PHP-3.01"],
  [/^(w3c)([-_].*)?$/i, "W3C"],
];

const GNU = /^(L|A)?GPL(?:-?v?(\d)(?:\.(\d))?)?(\+|-or-later|-only)?$/i;

function identifier(name: string): string {
  const bare = name.trim().replace(/^[("']+|[)"'.]+$/g, "");
  const gnu = GNU.exec(bare);
  if (gnu !== null) {
    const [, kind = "", major = "1", minor = "0", later] = gnu;
    const first =
      kind.toUpperCase() === "L" && major === "1" ? "2" : kind.toUpperCase() === "A" && major === "1" ? "3" : major;
    const open = later === undefined ? gnu[2] === undefined : later !== "-only";
    return `${kind.toUpperCase()}GPL-${first}.${minor}-${open ? "or-later" : "only"}`;
  }
  const known = NAMES.find(([pattern]) => pattern.test(bare))?.[1];
  if (known !== undefined) return known;
  const spdx = toSpdx(bare);
  if (spdx !== UNKNOWN) return spdx;
  const safe = bare.replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^-+|-+$/g, "");
  return safe === "" ? UNKNOWN : `LicenseRef-${safe}`;
}
