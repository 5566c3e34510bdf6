export type Span = readonly [start: number, end: number];

/**
 * `text.slice(start, end)` without `spans` (ascending, disjoint, inside). Where a cut leaves nothing on its lines, the
 * lines go with it.
 */
export function cut(text: string, start: number, end: number, spans: readonly Span[]): string {
  const parts: string[] = [];
  let at = start;
  for (const [from, to] of spans) {
    let left = from;
    while (left > at && isBlank(text.charCodeAt(left - 1))) left -= 1;
    let right = to;
    while (right < end && isBlank(text.charCodeAt(right))) right += 1;
    const opensLine = left === start || text.charCodeAt(left - 1) === 10;
    const closesLine = right === end || text.charCodeAt(right) === 10;
    if (opensLine && closesLine) {
      parts.push(text.slice(at, left));
      at = right < end ? right + 1 : right;
    } else {
      parts.push(text.slice(at, from));
      at = to;
    }
  }
  parts.push(text.slice(at, end));
  return parts.join("");
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}
