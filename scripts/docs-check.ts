/**
 * `npm run docs:check`: holds README.md and docs/ against the files they speak of.
 *
 * A figure quoted from a result is a link whose title is the place in that file, `[1.08](results/bench/train-step.json
 * "ratios.pytorch-fp32")`: its text must be the value there, at the precision printed. Every other relative link must lead
 * to a file of this repository, and its `#anchor` to a heading. See docs/figures.md.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface Checked {
  readonly problems: readonly Problem[];
  readonly figures: number;
  readonly links: number;
}

/** Checks README.md and every Markdown file under docs/ of a repository. */
export function checkDocs(root: string): Checked {
  const docs = join(root, "docs");
  const pages = existsSync(docs) ? readdirSync(docs, { recursive: true, encoding: "utf8" }) : [];
  const files = ["README.md", ...pages.filter((file) => file.endsWith(".md")).map((file) => join("docs", file))];
  const present = files.filter((file) => existsSync(join(root, file))).sort();
  const results = present.map((file) => checkPage(root, file));
  return {
    problems: results.flatMap(({ problems }) => problems),
    figures: results.reduce((sum, { figures }) => sum + figures, 0),
    links: results.reduce((sum, { links }) => sum + links, 0),
  };
}

const MARKDOWN_LINK = /\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?([^\s()<>]+)>?(?:\s+"([^"]*)")?\s*\)/g;
const HTML_LINK = /<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)="([^"\s]+)"/g;

function checkPage(root: string, file: string): Checked {
  const problems: Problem[] = [];
  let [figures, links, fence] = [0, 0, ""];
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  lines.forEach((text, index) => {
    const mark = /^\s*(```+|~~~+)/.exec(text)?.[1];
    if (fence !== "") {
      if (mark?.startsWith(fence) === true) fence = "";
      return;
    }
    if (mark !== undefined) {
      fence = mark;
      return;
    }
    const line = text.replaceAll(/(`+).*?\1/g, (code) => " ".repeat(code.length)); // Code shows syntax, it links nothing.
    const add = (message: string | undefined): void => {
      if (message !== undefined) problems.push({ file, line: index + 1, message });
    };
    for (const [, shown = "", target = "", title] of line.matchAll(MARKDOWN_LINK)) {
      if (isElsewhere(target)) continue;
      links += 1;
      add(checkLink(root, file, target));
      if (title === undefined || !target.endsWith(".json") || !existsSync(join(root, dirname(file), target))) continue;
      figures += 1;
      add(checkFigure(join(root, dirname(file), target), target, title, shown));
    }
    for (const [, target = ""] of line.matchAll(HTML_LINK)) {
      if (isElsewhere(target)) continue;
      links += 1;
      add(checkLink(root, file, target));
    }
  });
  return { problems, figures, links };
}

function isElsewhere(target: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(target);
}

function checkLink(root: string, file: string, target: string): string | undefined {
  const [path = "", anchor] = decodeURIComponent(target).split("#");
  const full = path === "" ? join(root, file) : resolve(root, dirname(file), path);
  if (path.startsWith("/") || relative(root, full).startsWith("..")) {
    return `${target}: expected a relative link inside the repository`;
  }
  if (!existsSync(full)) return `${target}: expected a file, found none`;
  if (anchor === undefined || anchor === "" || !full.endsWith(".md") || statSync(full).isDirectory()) return undefined;
  return anchorsOf(readFileSync(full, "utf8")).has(anchor) ? undefined : `${target}: expected a heading for #${anchor}`;
}

/** The anchors that GitHub gives headings: lower case, punctuation out, spaces to hyphens. */
export function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^\s*(```|~~~)[\s\S]*?^\s*\1/gm, "").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ""] of headings) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "");
    const base = plain.toLowerCase().replaceAll(" ", "-");
    const times = seen.get(base) ?? 0;
    seen.set(base, times + 1);
    anchors.add(times === 0 ? base : `${base}-${times}`);
  }
  return anchors;
}

function checkFigure(path: string, target: string, place: string, shown: string): string | undefined {
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return `${target}: expected JSON`;
  }
  const value = valueAt(data, place);
  if (typeof value !== "number" && typeof value !== "string") {
    return `${target}: expected a number or a text at ${place}, got ${value === undefined ? "nothing" : typeof value}`;
  }
  return agrees(shown, value) ? undefined : `expected ${value} (${target}, ${place}), got ${shown}`;
}

/** Follows dots from key to key, `all.MRR@10`, `losses.0`; a key that has dots itself is found, the longest first. */
export function valueAt(data: unknown, place: string): unknown {
  if (place === "") return data;
  if (typeof data !== "object" || data === null) return undefined;
  const keys = Object.keys(data).filter((key) => place === key || place.startsWith(`${key}.`));
  for (const key of keys.sort((a, b) => b.length - a.length)) {
    const value = valueAt((data as Record<string, unknown>)[key], place.slice(key.length + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * True where the text prints the value: the first number in it, rounded to as many decimals as it has; `%` means
 * hundredths, commas group thousands. A text value must stand there as it is.
 */
export function agrees(shown: string, value: number | string): boolean {
  const text = shown.replaceAll(/[*_`]/g, "");
  if (typeof value === "string") return text.trim() === value;
  const match = /([-\u2212]?)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?\s*(%?)/.exec(text);
  if (match === null) return false;
  const [, minus = "", whole = "", fraction = "", percent] = match;
  const printed = Number(whole.replaceAll(",", "") + fraction) * (minus === "" ? 1 : -1);
  const exact = percent === "%" ? value * 100 : value;
  const half = 0.5 * 10 ** -Math.max(0, fraction.length - 1);
  return Math.abs(exact - printed) <= half * (1 + 1e-9);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { problems, figures, links } = checkDocs(fileURLToPath(new URL("..", import.meta.url)));
  for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
  console.log(`docs: ${figures} figures and ${links} links checked, ${problems.length} wrong`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
