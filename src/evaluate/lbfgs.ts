/** Value and gradient of a smooth function at `x`; writes the gradient into `gradient` [n] and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  /** Ends where no gradient component is larger; default 1e-8. */
  readonly tolerance?: number;
  /** Default 2,000. */
  readonly maxIterations?: number;
  /** Pairs of steps remembered; default 10. */
  readonly memory?: number;
}

/**
 * Minimises a smooth convex function by limited-memory BFGS (Nocedal and Wright, "Numerical Optimization", 2006, algorithms
 * 7.4 and 7.5), halving steps until they satisfy the Armijo condition; a step without positive curvature is not remembered.
 *
 * @param x the start; not changed. Returns the minimum and the largest gradient component there.
 */
export function lbfgs(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-8, maxIterations = 2000, memory = 10 }: LbfgsOptions = {},
): { x: Float64Array; value: number; gradientSize: number; iterations: number } {
  let x = start.slice();
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const history: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let iterations = 0;
  for (; iterations < maxIterations && largest(gradient) > tolerance; iterations++) {
    const direction = twoLoop(history, gradient);
    const slope = dot(direction, gradient);
    let step = history.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const next = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let nextValue = Infinity;
    for (let halvings = 0; halvings < 50; halvings++, step /= 2) {
      for (let i = 0; i < x.length; i++) next[i] = x[i]! + step * direction[i]!;
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + 1e-4 * step * slope) break;
    }
    if (!(nextValue < value)) break; // Rounding is all that is left between here and the minimum.
    const s = next.map((v, i) => v - x[i]!);
    const y = nextGradient.map((v, i) => v - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12 * dot(y, y)) history.push({ s, y, rho: 1 / curvature });
    if (history.length > memory) history.shift();
    [x, gradient, value] = [next, nextGradient, nextValue];
  }
  return { x, value, gradientSize: largest(gradient), iterations };
}

/** The quasi-Newton direction -H g from the remembered steps, newest last. */
function twoLoop(
  history: readonly { s: Float64Array; y: Float64Array; rho: number }[],
  gradient: Float64Array,
): Float64Array {
  const direction = gradient.map((g) => -g);
  const alphas = new Float64Array(history.length);
  for (let h = history.length - 1; h >= 0; h--) {
    const { s, y, rho } = history[h]!;
    alphas[h] = rho * dot(s, direction);
    addScaled(direction, y, -alphas[h]!);
  }
  const last = history.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  history.forEach(({ s, y, rho }, h) => addScaled(direction, s, alphas[h]! - rho * dot(y, direction)));
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}

function largest(vector: Float64Array): number {
  let size = 0;
  for (const v of vector) size = Math.max(size, Math.abs(v));
  return size;
}
