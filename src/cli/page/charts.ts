/** Small charts as inline SVG text: no script, no external request, colours from CSS variables of the page. */

export interface Series {
  readonly label: string;
  /** A CSS custom property of the page, e.g. `--series-1`. */
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 560;
const HEIGHT = 240;
const MARGIN = { top: 12, right: 16, bottom: 30, left: 54 };

/** Lines over a common axis. Series without points are left out; with none at all a note is drawn instead. */
export function lineChart(title: string, xLabel: string, series: readonly Series[]): string {
  const drawn = series.filter((one) => one.points.length > 0);
  const all = drawn.flatMap((one) => one.points);
  if (all.length === 0) return `<p class="muted">${escapeHtml(title)}: nothing was recorded.</p>`;
  const [x0, x1] = extent(all.map(([x]) => x));
  const yTicks = niceTicks(...extent(all.map(([, y]) => y)), 5);
  const [y0, y1] = [yTicks[0]!, yTicks.at(-1)!];
  const x = (value: number): number =>
    MARGIN.left + ((value - x0) / (x1 - x0 || 1)) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number =>
    HEIGHT - MARGIN.bottom - ((value - y0) / (y1 - y0 || 1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const grid = yTicks.map(
    (tick) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${fix(y(tick))}" y2="${fix(y(tick))}"/>` +
      `<text class="tick" x="${MARGIN.left - 8}" y="${fix(y(tick) + 4)}" text-anchor="end">${formatTick(tick)}</text>`,
  );
  const xTicks = niceTicks(x0, x1, 5)
    .filter((tick) => tick >= x0 && tick <= x1)
    .map(
      (tick) =>
        `<text class="tick" x="${fix(x(tick))}" y="${HEIGHT - 4}" text-anchor="middle">${formatTick(tick)}</text>`,
    );
  const lines = drawn.map((one) => {
    const path = one.points.map(([px, py], i) => `${i === 0 ? "M" : "L"}${fix(x(px))} ${fix(y(py))}`).join("");
    return `<path class="line" style="stroke:var(${one.colour})" d="${path}"><title>${escapeHtml(one.label)}</title></path>`;
  });
  const last = drawn.map((one) => `${one.label} ${formatTick(one.points.at(-1)![1])}`).join(", ");
  return [
    `<figure><figcaption>${escapeHtml(title)}${legend(drawn)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}; at the end: ${last}`)}">`,
    ...grid,
    ...xTicks,
    ...lines,
    `</svg><div class="axis">${escapeHtml(xLabel)}</div></figure>`,
  ].join("\n");
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly colour: string;
}

/** Horizontal bars on a scale from 0, each with its value written at its end; three decimals by default. */
export function barChart(
  title: string,
  bars: readonly Bar[],
  format: (value: number) => string = (value) => value.toFixed(3),
): string {
  const rowHeight = bars.length > 6 ? 32 : 48;
  const thickness = rowHeight === 48 ? 28 : 20;
  const left = 150;
  const top = Math.max(...bars.map((bar) => bar.value), 1e-9);
  const height = bars.length * rowHeight + 6;
  const rows = bars.map((bar, row) => {
    const width = (bar.value / top) * (WIDTH - left - 70);
    const middle = row * rowHeight + rowHeight / 2;
    return (
      `<text class="label" x="${left - 10}" y="${middle + 5}" text-anchor="end">${escapeHtml(bar.label)}</text>` +
      `<rect x="${left}" y="${middle - thickness / 2}" width="${fix(Math.max(width, 1))}" height="${thickness}" rx="3" style="fill:var(${bar.colour})"/>` +
      `<text class="value" x="${fix(left + width + 8)}" y="${middle + 5}">${escapeHtml(format(bar.value))}</text>`
    );
  });
  const spoken = bars.map((bar) => `${bar.label} ${format(bar.value)}`).join(", ");
  return [
    `<figure><figcaption>${escapeHtml(title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(`${title}: ${spoken}`)}">`,
    ...rows,
    "</svg></figure>",
  ].join("\n");
}

export interface Column {
  /** Where the bin begins. */
  readonly from: number;
  readonly count: number;
}

/** A histogram: columns of equal width, a few of them labelled with where they begin. */
export function columnChart(title: string, xLabel: string, columns: readonly Column[], note = ""): string {
  const all = columns.reduce((sum, { count }) => sum + count, 0);
  if (all === 0) return `<figure><figcaption>${escapeHtml(title)}</figcaption><p class="muted">Nothing.</p></figure>`;
  const across = 300;
  const height = 110;
  const base = height - 24;
  const width = across / columns.length;
  const highest = Math.max(...columns.map(({ count }) => count));
  const every = Math.ceil(columns.length / 6);
  const drawn = columns.map(({ from, count }, i) => {
    const tall = (count / highest) * (base - 8);
    const label =
      i % every === 0
        ? `<text class="tick" x="${fix(i * width + width / 2)}" y="${height - 6}" text-anchor="middle">${formatTick(from)}</text>`
        : "";
    const said = `${formatTick(from)} and more: ${((100 * count) / all).toFixed(1)}%`;
    return `<rect x="${fix(i * width + 1)}" y="${fix(base - tall)}" width="${fix(width - 2)}" height="${fix(tall)}" style="fill:var(--series-1)"><title>${said}</title></rect>${label}`;
  });
  return [
    `<figure><figcaption>${escapeHtml(title)}<span class="legend">${escapeHtml(note)}</span></figcaption>`,
    `<svg viewBox="0 0 ${across} ${height}" role="img" aria-label="${escapeHtml(`${title}; ${note}`)}">`,
    ...drawn,
    `</svg><div class="axis">${escapeHtml(xLabel)}</div></figure>`,
  ].join("\n");
}

/** Text made safe for HTML content and attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Round numbers that enclose [low, high], about `count` of them: `niceTicks(0.3, 9.7, 5)` is 0, 2, 4, 6, 8, 10. */
export function niceTicks(low: number, high: number, count: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough) ?? 10 * power;
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function legend(series: readonly Series[]): string {
  if (series.length < 2) return "";
  const keys = series.map(
    (one) => `<span class="key"><i style="background:var(${one.colour})"></i>${escapeHtml(one.label)}</span>`,
  );
  return `<span class="legend">${keys.join("")}</span>`;
}

function extent(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function formatTick(value: number): string {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (Math.abs(value) >= 1000) return `${Number((value / 1000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function fix(value: number): string {
  return value.toFixed(1);
}
