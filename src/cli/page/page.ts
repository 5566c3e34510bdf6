import { escapeHtml } from "./charts.js";

export interface Page {
  /** Plain text. */
  readonly title: string;
  /** HTML of the main part. */
  readonly body: string;
  /** Over the shared style. */
  readonly css?: string;
  /** A script of the page itself; most have none. */
  readonly script?: string;
}

/**
 * A page that stands alone: no request to anywhere (its own policy forbids them), light and dark by the reader's
 * setting, narrow screens included.
 */
export function renderPage({ title, body, css = "", script }: Page): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'${script === undefined ? "" : "; script-src 'unsafe-inline'"}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>${CSS}${css}</style>
</head>
<body>
<main>
${body}
</main>
${script === undefined ? "" : `<script>${script}</script>\n`}</body>
</html>
`;
}

/** Colours, type and cards that all pages share. */
const CSS = `
:root { color-scheme: light dark; --bg: #fff; --fg: #1c1f23; --muted: #5c6670; --line: #dfe3e8; --card: #f6f7f9;
  --series-1: #1264a3; --series-2: #b4540a; --quiet: #8a949e; --good: #e3f4e6; --bad: #fbe4e2;
  --series-3: #2c7a4b; --series-4: #7a4fa3; --series-5: #a8326e; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e6e9ec; --muted: #9aa4ae; --line: #2d333a; --card: #1c2126;
  --series-1: #58a6e8; --series-2: #e8944a; --quiet: #6d7883; --good: #173021; --bad: #3a1d1b;
  --series-3: #5fb583; --series-4: #b08fd8; --series-5: #e07fb0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 8px; text-wrap: balance; } h2 { margin: 40px 0 12px; font-size: 1.25rem; } h3 { margin: 0; font-size: 1.05rem; }
.lead { max-width: 80ch; margin: 0 0 24px; text-wrap: pretty; }
.muted, footer { color: var(--muted); font-size: .9rem; } footer { margin-top: 40px; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px; margin-bottom: 20px; }
figure, article { margin: 0; padding: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
article { margin-bottom: 16px; } article p { margin: 2px 0 10px; }
figcaption { font-weight: 600; margin-bottom: 8px; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 16px; }
svg { width: 100%; height: auto; display: block; overflow: visible; } .grid { stroke: var(--line); } .line { fill: none; stroke-width: 2; }
.tick { font-size: 12px; fill: var(--muted); } .label, .value { font-size: 14px; fill: var(--fg); }
.legend { font-weight: 400; font-size: .85rem; display: flex; gap: 12px; } .key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 5px; }
.axis { text-align: right; color: var(--muted); font-size: .75rem; }
pre { margin: 4px 0 0; padding: 8px 10px; background: var(--bg); border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; }
/* Charts shrink with the page, so that their text has to grow. */
@media (max-width: 560px) { .tick { font-size: 18px; } .label, .value { font-size: 19px; } }
`;
