/**
 * The order that sorts records by a 64-bit key of two halves; equal keys stay in their order. Radix sort by 16 bits, so
 * that time and memory grow with the number of records only.
 */
export function sortedOrder(hi: Uint32Array, lo: Uint32Array): Uint32Array {
  const count = hi.length;
  let order = Uint32Array.from({ length: count }, (_, i) => i);
  if (count < 20_000) return order.sort((a, b) => hi[a]! - hi[b]! || lo[a]! - lo[b]! || a - b);
  let next = new Uint32Array(count);
  const starts = new Uint32Array(65_537);
  for (const [keys, shift] of [
    [lo, 0],
    [lo, 16],
    [hi, 0],
    [hi, 16],
  ] as const) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[((keys[i]! >>> shift) & 0xffff) + 1]! += 1;
    for (let d = 0; d < 65_536; d++) starts[d + 1]! += starts[d]!;
    for (let i = 0; i < count; i++) {
      const record = order[i]!;
      next[starts[(keys[record]! >>> shift) & 0xffff]!++] = record;
    }
    [order, next] = [next, order];
  }
  return order;
}

/** Calls `visit` with each run [start, end) of equal keys in an order, of two records or more. */
export function eachRun(
  order: Uint32Array,
  hi: Uint32Array,
  lo: Uint32Array,
  visit: (start: number, end: number) => void,
): void {
  for (let start = 0; start < order.length;) {
    const first = order[start]!;
    let end = start + 1;
    while (end < order.length && hi[order[end]!] === hi[first] && lo[order[end]!] === lo[first]) end += 1;
    if (end - start > 1) visit(start, end);
    start = end;
  }
}

/** Union-find with path halving; the root of a set is its smallest member. */
export class Components {
  private readonly parent: Uint32Array;

  constructor(count: number) {
    this.parent = Uint32Array.from({ length: count }, (_, i) => i);
  }

  root(member: number): number {
    const { parent } = this;
    let at = member;
    while (parent[at] !== at) at = parent[at] = parent[parent[at]!]!;
    return at;
  }

  join(a: number, b: number): void {
    const [rootA, rootB] = [this.root(a), this.root(b)];
    if (rootA < rootB) this.parent[rootB] = rootA;
    else this.parent[rootA] = rootB;
  }
}
