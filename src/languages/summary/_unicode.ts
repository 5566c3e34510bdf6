/** Windows-1252 for the bytes 0x80..0x9f; the rest of the code page equals Latin-1. */
const CP1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
const BYTE_OF: ReadonlyMap<string, number> = new Map([...CP1252].map((char, i) => [char, 0x80 + i]));

/** Runs that UTF-8 read as Windows-1252 leaves: a lead byte's character and characters of continuation bytes. */
const MISREAD =
  /[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]+/gu;

/**
 * Repairs mojibake: UTF-8 that was once read as Windows-1252 (`donâ€™t` -> `don’t`). A run is replaced only if its bytes
 * are valid UTF-8, which real accented text (`café`, `À la carte`) is not. Then unknown characters are dropped.
 */
export function repairUnicode(text: string): string {
  let repaired = text;
  // Twice: text that went through the mistake twice is not rare.
  for (let pass = 0; pass < 2; pass++) repaired = repaired.replace(MISREAD, decodeRun);
  return repaired
    .replace(/(?<=\p{L})\ufffd(?=(?:s|t|re|ve|ll|d|m)\b)/gu, "'")
    .replace(/[\ufffd\ufeff\u200b-\u200f\u2028-\u202e]|(?![\t\n\r])\p{Cc}/gu, "")
    .normalize("NFC");
}

function decodeRun(run: string): string {
  const bytes: number[] = [];
  for (const char of run) {
    const code = char.codePointAt(0)!;
    const byte = code < 0x100 ? code : BYTE_OF.get(char);
    if (byte === undefined) return run;
    bytes.push(byte);
  }
  try {
    return UTF8.decode(Uint8Array.from(bytes));
  } catch {
    return run;
  }
}
const UTF8 = new TextDecoder("utf-8", { fatal: true });

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", copy: "©", reg: "®", trade: "™", hellip: "…",
  mdash: "—", ndash: "–", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", bull: "•",
  middot: "·", times: "×", divide: "÷", plusmn: "±", deg: "°", micro: "µ", sup2: "²", sup3: "³", frac12: "½",
  le: "≤", ge: "≥", ne: "≠", asymp: "≈", infin: "∞", larr: "←", uarr: "↑", rarr: "→", darr: "↓", harr: "↔",
  rArr: "⇒", sum: "∑", prod: "∏", radic: "√", int: "∫", part: "∂", isin: "∈", alpha: "α", beta: "β", gamma: "γ",
  delta: "δ", epsilon: "ε", theta: "θ", lambda: "λ", mu: "μ", pi: "π", sigma: "σ", phi: "φ", omega: "ω", Delta: "Δ",
  Omega: "Ω", Sigma: "Σ", sect: "§", para: "¶", eacute: "é", egrave: "è", agrave: "à", auml: "ä", ouml: "ö",
  uuml: "ü", szlig: "ß", ccedil: "ç", ntilde: "ñ", lbrace: "{", rbrace: "}", lcub: "{", rcub: "}", commat: "@",
  ast: "*", sol: "/", shy: "", zwnj: "", thinsp: " ", ensp: " ", emsp: " ",
}; // prettier-ignore

/** Decodes HTML's character references; unknown names stay as they are. */
export function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]*));/g,
    (whole, decimal, hex, name) => {
      if (typeof name === "string") return Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : whole;
      const code = typeof decimal === "string" ? Number(decimal) : Number.parseInt(String(hex), 16);
      return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
    },
  );
}
