/**
 * Dimensions. A dimension is a number, or a string: a symbol (`"B"`), or an integer polynomial of symbols in canonical
 * form (`"B*T"`, `"2*N"`, `"T-1"`, `"A+B"`). Canonical means that equal dimensions are equal strings, so comparing
 * shapes is comparing strings.
 */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A polynomial: monomial (its sorted symbols joined by `*`; empty for the constant) -> coefficient. */
type Polynomial = Map<string, number>;

const SYMBOL = /^[A-Za-z_][A-Za-z0-9_]*$/;

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return dim === 0 ? new Map() : new Map([["", dim]]);
  const result: Polynomial = new Map();
  for (const term of dim.replaceAll("-", "+-").split("+")) {
    if (term === "") continue;
    let coefficient = term.startsWith("-") ? -1 : 1;
    const symbols: string[] = [];
    for (const factor of term
      .replace(/^-/, "")
      .split("*")
      .map((part) => part.trim())) {
      if (/^\d+$/.test(factor)) coefficient *= Number(factor);
      else if (SYMBOL.test(factor)) symbols.push(factor);
      else throw new RangeError(`dimension: expected a number or a symbol, got "${dim}"`);
    }
    addTerm(result, symbols.sort().join("*"), coefficient);
  }
  return result;
}

function addTerm(into: Polynomial, monomial: string, coefficient: number): void {
  const sum = (into.get(monomial) ?? 0) + coefficient;
  if (sum === 0) into.delete(monomial);
  else into.set(monomial, sum);
}

function print(polynomial: Polynomial): Dim {
  // Products of many symbols first, the constant last.
  const degree = (monomial: string): number => (monomial === "" ? 0 : monomial.split("*").length);
  const terms = [...polynomial].sort(([a], [b]) => degree(b) - degree(a) || (a < b ? -1 : 1));
  if (terms.length === 0) return 0;
  const [only] = terms;
  if (terms.length === 1 && only !== undefined && only[0] === "") return only[1];
  return terms
    .map(([monomial, coefficient]) => {
      if (monomial === "") return String(coefficient);
      if (coefficient === 1) return monomial;
      return coefficient === -1 ? `-${monomial}` : `${coefficient}*${monomial}`;
    })
    .join("+")
    .replaceAll("+-", "-");
}

/** The canonical form of a dimension: `canonical("T*B")` is `"B*T"`, `canonical("2*3")` is `6`. */
export function canonical(dim: Dim): Dim {
  return typeof dim === "number" ? dim : print(parse(dim));
}

/** Product: `multiplyDims("B", "T", 2)` is `"2*B*T"`. */
export function multiplyDims(...dims: readonly Dim[]): Dim {
  if (dims.every((dim) => typeof dim === "number")) return dims.reduce((product, dim) => product * dim, 1);
  let product: Polynomial = new Map([["", 1]]);
  for (const dim of dims) {
    const next: Polynomial = new Map();
    for (const [left, leftCoefficient] of product) {
      for (const [right, rightCoefficient] of parse(dim)) {
        const symbols = [...left.split("*"), ...right.split("*")].filter((symbol) => symbol !== "");
        addTerm(next, symbols.sort().join("*"), leftCoefficient * rightCoefficient);
      }
    }
    product = next;
  }
  return print(product);
}

/** Sum: `addDims("N", "N")` is `"2*N"`. */
export function addDims(...dims: readonly Dim[]): Dim {
  const sum: Polynomial = new Map();
  for (const dim of dims) for (const [monomial, coefficient] of parse(dim)) addTerm(sum, monomial, coefficient);
  return print(sum);
}

/** Difference: `subtractDims("2*N", "N")` is `"N"`. */
export function subtractDims(left: Dim, right: Dim): Dim {
  const difference = parse(left);
  for (const [monomial, coefficient] of parse(right)) addTerm(difference, monomial, -coefficient);
  return print(difference);
}

/** Exact quotient by a product: `divideDims("4*A+4*B", 4)` is `"A+B"`; undefined where some term cannot be divided. */
export function divideDims(dividend: Dim, divisor: Dim): Dim | undefined {
  const [by, ...more] = termsOf(divisor);
  if (by === undefined || more.length > 0) return undefined;
  const quotient: Polynomial = new Map();
  for (const { coefficient, symbols } of termsOf(dividend)) {
    const left = [...symbols];
    for (const symbol of by.symbols) {
      const at = left.indexOf(symbol);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (coefficient % by.coefficient !== 0) return undefined;
    addTerm(quotient, left.join("*"), coefficient / by.coefficient);
  }
  return print(quotient);
}

/** The terms of a dimension for whoever has to compute it: `"2*B*T+1"` gives `[{2, [B, T]}, {1, []}]`. */
export function termsOf(dim: Dim): readonly { readonly coefficient: number; readonly symbols: readonly string[] }[] {
  return [...parse(dim)].map(([monomial, coefficient]) => ({
    coefficient,
    symbols: monomial === "" ? [] : monomial.split("*"),
  }));
}

/** The number a dimension has once its symbols are known; throws a RangeError that names a missing symbol. */
export function evaluateDim(dim: Dim, symbols: ReadonlyMap<string, number>): number {
  if (typeof dim === "number") return dim;
  const known = symbols.get(dim);
  if (known !== undefined) return known;
  let sum = 0;
  for (const term of termsOf(dim)) {
    let product = term.coefficient;
    for (const symbol of term.symbols) {
      const value = symbols.get(symbol);
      if (value === undefined) throw new RangeError(`dimension: symbol ${symbol} of ${dim} has no value`);
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** The number of elements: `sizeOf(["B", 4])` is `"4*B"`, 1 for a scalar. */
export function sizeOf(shape: Shape): Dim {
  return multiplyDims(...shape);
}

export function sameShape(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((dim, index) => dim === right[index]);
}

/** `[B, T, 256]`. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** NumPy broadcasting of two shapes; undefined where they do not fit. Equal symbols fit, different ones do not. */
export function broadcastShapes(left: Shape, right: Shape): Shape | undefined {
  const rank = Math.max(left.length, right.length);
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) return undefined;
    result.push(a === 1 ? b : a);
  }
  return result;
}
