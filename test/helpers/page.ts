import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "./cli.js";
import { chromium } from "./requires.js";

/** What `page-probe.js` finds: the script of a frame's owner, which looks into the page. */
export interface Seen {
  readonly text: string;
  readonly headings: readonly string[];
  readonly captions: readonly string[];
  readonly code: readonly string[];
  readonly marked: readonly string[];
  /** Elements that would load or run something. */
  readonly active: number;
  readonly acted: string | null;
  readonly requests: readonly string[];
  /** How far anything reaches past the right edge of what holds it, pixels. */
  readonly overflow: number;
  /** How far the page itself is wider than its frame, pixels. */
  readonly pageOverflow: number;
  /** Pairs of chart labels that cover each other. */
  readonly collisions: readonly string[];
  readonly background: string;
  readonly foreground: string;
}

/** Opens a page in Chromium, in a frame of some width, and looks at it with `probe` (of `test/helpers/`). */
export async function openPage<Found = Seen>(
  temporary: string,
  html: string,
  width: number,
  dark: boolean,
  probe = "page-probe.js",
): Promise<Found> {
  const folder = await mkdtemp(join(temporary, "page-"));
  await writeFile(join(folder, "report.html"), html);
  await writeFile(
    join(folder, "frame.html"),
    `<!doctype html><iframe src="report.html" style="border:0;width:${width}px;height:2000px"></iframe>
<pre id="seen"></pre><script src="${new URL(`./${probe}`, import.meta.url).href}"></script>`,
  );
  const { stdout, stderr } = await run(chromium!, [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    `--user-data-dir=${join(folder, "profile")}`,
    "--allow-file-access-from-files", // The frame's owner and the page are one origin then.
    `--blink-settings=preferredColorScheme=${dark ? 0 : 1}`,
    "--window-size=1400,2200",
    "--dump-dom",
    pathToFileURL(join(folder, "frame.html")).href,
  ]);
  const found = /<pre id="seen">([^<]+)<\/pre>/.exec(stdout)?.[1];
  if (found === undefined) throw new Error(`Chromium showed nothing: ${stderr.slice(-500)}`);
  return JSON.parse(decodeURIComponent(found)) as Found;
}

/** CSS variables that the page uses and one of its colour schemes does not define. */
export function undefinedColours(html: string): { light: string[]; dark: string[] } {
  const used = [...new Set([...html.matchAll(/var\((--[\w-]+)\)/g)].map((match) => match[1]!))];
  const [light = "", rest = ""] = html.split("@media (prefers-color-scheme: dark)");
  const missing = (css: string): string[] => used.filter((name) => !css.includes(`${name}:`));
  return { light: missing(light), dark: missing(rest.split("} }")[0]!) };
}

/** Relative luminance of `rgb(r, g, b)`, 0 .. 1 (WCAG 2.2). */
export function luminance(colour: string): number {
  const [r, g, b] = colour.match(/[\d.]+/g)!.map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** Contrast of two colours, 1 .. 21 (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}
