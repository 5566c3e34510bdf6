/** Line charts on SVG, drawn again as data grows: no library, colours from CSS variables of the page. */

/** One line. */
export interface Series {
  readonly label: string;
  /** A CSS custom property, e.g. `--series-1`. */
  readonly colour: string;
  readonly dashed?: boolean;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 520;
const HEIGHT = 220;
const MARGIN = { top: 10, right: 14, bottom: 26, left: 54 };
/** Points of a line on the screen: more cannot be seen. */
const POINTS = 400;

/** A figure with a caption, a legend and a chart. */
export class Chart {
  readonly element: HTMLElement;
  private readonly svg: SVGSVGElement;
  private readonly legend: HTMLElement;
  private readonly title: string;

  constructor(title: string) {
    this.title = title;
    this.element = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = title;
    this.legend = document.createElement("span");
    this.legend.className = "legend";
    caption.append(this.legend);
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("role", "img");
    this.element.append(caption, this.svg);
  }

  /** Draws lines over a common axis; without any point the figure is hidden. */
  draw(all: readonly Series[]): void {
    const series = all.map(thin).filter((one) => one.x.length > 0);
    this.element.hidden = series.length === 0;
    if (series.length === 0) return;
    const [x0, x1] = extent(series.flatMap((one) => one.x));
    const ticks = niceTicks(...extent(series.flatMap((one) => one.y)), 4);
    const [y0, y1] = [ticks[0]!, ticks.at(-1)!];
    const px = (value: number): number =>
      MARGIN.left + ((value - x0) / (x1 - x0 || 1)) * (WIDTH - MARGIN.left - MARGIN.right);
    const py = (value: number): number =>
      HEIGHT - MARGIN.bottom - ((value - y0) / (y1 - y0 || 1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    const parts: SVGElement[] = ticks.flatMap((tick) => [
      shape("line", { class: "grid", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: py(tick), y2: py(tick) }),
      text(tick, MARGIN.left - 8, py(tick) + 4, "end"),
    ]);
    for (const tick of niceTicks(x0, x1, 5)) {
      if (tick >= x0 && tick <= x1) parts.push(text(tick, px(tick), HEIGHT - 6, "middle"));
    }
    for (const { x, y, colour, dashed } of series) {
      const d = x.map((value, i) => `${i === 0 ? "M" : "L"}${px(value).toFixed(1)} ${py(y[i]!).toFixed(1)}`).join("");
      const line = shape("path", { class: dashed === true ? "line dashed" : "line", d });
      line.style.stroke = `var(${colour})`;
      parts.push(line);
    }
    this.svg.replaceChildren(...parts);
    const last = series.map((one) => `${one.label} ${short(one.y.at(-1)!)}`);
    this.svg.setAttribute("aria-label", `${this.title}; latest: ${last.join(", ")}`);
    this.legend.replaceChildren(
      ...series.map((one, i) => {
        const item = document.createElement("span");
        item.className = one.dashed === true ? "dashed" : "";
        item.style.setProperty("--mark", `var(${one.colour})`);
        item.textContent = last[i]!;
        return item;
      }),
    );
  }
}

/** Means over equal stretches where there are more points than can be seen. Values that are not finite are left out. */
export function thin(series: Series): Series {
  const keep = [...series.y.keys()].filter((i) => Number.isFinite(series.y[i]) && Number.isFinite(series.x[i]));
  if (keep.length <= POINTS) return { ...series, x: keep.map((i) => series.x[i]!), y: keep.map((i) => series.y[i]!) };
  const x: number[] = [];
  const y: number[] = [];
  for (let part = 0; part < POINTS; part++) {
    const from = Math.floor((part * keep.length) / POINTS);
    const to = Math.floor(((part + 1) * keep.length) / POINTS);
    const stretch = keep.slice(from, to);
    x.push(series.x[stretch.at(-1)!]!);
    y.push(stretch.reduce((sum, i) => sum + series.y[i]!, 0) / stretch.length);
  }
  return { ...series, x, y };
}

/** `0.00031`, `4.21`, `1,250`, `3.2M` */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trim((value / 1e6).toPrecision(3))}M`;
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size >= 0.001 || size === 0) return trim(value.toPrecision(3));
  return value.toExponential(1);
}

function trim(number: string): string {
  return number.includes(".") && !number.includes("e") ? number.replace(/\.?0+$/, "") : number;
}

function extent(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Round numbers from at or below `low` to at or above `high`. */
function niceTicks(low: number, high: number, count: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function text(value: number, x: number, y: number, anchor: string): SVGElement {
  const element = shape("text", { class: "tick", x, y, "text-anchor": anchor });
  element.textContent = short(value);
  return element;
}
