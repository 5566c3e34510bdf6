/**
 * Flattens the library's offsets (code points) to UTF-16 code units of `text`.
 *
 * @returns `[start, end)` pairs, `2 * offsets.length` numbers
 * @example "a😀b" has the code points 0, 1, 2 at the UTF-16 offsets 0, 1, 3.
 */
export function toUtf16Offsets(text: string, offsets: readonly (readonly number[])[]): Int32Array {
  const flat = new Int32Array(offsets.length * 2);
  const units = utf16Positions(text);
  for (let i = 0; i < offsets.length; i++) {
    const [start, end] = offsets[i] as readonly [number, number];
    flat[2 * i] = units === undefined ? start : units[start]!;
    flat[2 * i + 1] = units === undefined ? end : units[end]!;
  }
  return flat;
}

/** The UTF-16 offset of every code point and of the end; undefined where they are the same numbers. */
function utf16Positions(text: string): Uint32Array | undefined {
  // A lone surrogate reaches the library as one U+FFFD: one code point, one unit. Only pairs shift.
  if (!/[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text)) return undefined;
  const units = new Uint32Array(text.length + 1);
  let point = 0;
  let unit = 0;
  for (const character of text) {
    units[point++] = unit;
    unit += character.length;
  }
  units[point] = unit;
  return units.subarray(0, point + 1);
}
