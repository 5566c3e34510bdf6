import type { AuditMark } from "../../corpus/index.js";
import { escapeHtml, renderPage } from "../page/index.js";
import { AUDIT_SCRIPT } from "./_audit-script.js";

/**
 * A page for reading samples one by one: keep or wrong and a reason, by keyboard; marks stay in the browser's local
 * storage under `key` and are exported as JSON Lines, which `lodestone corpus audit --read` takes.
 *
 * @param key names corpus and seed, so that two audits do not share marks
 */
export function renderAudit(samples: readonly AuditMark[], key: string): string {
  // `<` as an escape: no text of the corpus can end the element.
  const data = JSON.stringify({ key: `lodestone-audit:${key}`, samples }).replace(/</g, "\\u003c");
  const body = `<h1>Is the summary a true description of the whole function?</h1>
<p class="muted">${escapeHtml(key)}: <kbd>k</kbd> keep, <kbd>w</kbd> wrong, <kbd>r</kbd> reason, <kbd>&larr;</kbd> <kbd>&rarr;</kbd> move,
<kbd>u</kbd> next unmarked, <kbd>e</kbd> export. Marks stay in this browser.</p>
<nav id="tally" aria-label="Languages"></nav>
<article id="sample" aria-live="polite">
<div class="muted"><b id="place"></b> <span id="origin"></span></div>
<p id="summary"></p>
<pre id="code" tabindex="0"></pre>
<div class="actions">
<button id="keep" aria-pressed="false">Keep</button>
<button id="wrong" aria-pressed="false">Wrong</button>
<label>Reason <input id="reason" maxlength="200" autocomplete="off"></label>
</div>
</article>
<div class="actions">
<button id="previous">Previous</button>
<button id="next">Next</button>
<button id="unmarked">Next unmarked</button>
<button id="export">Export marks</button>
<span id="status" role="status"></span>
</div>
<script type="application/json" id="samples">${data}</script>`;
  return renderPage({ title: `Audit of ${key}`, body, css: CSS, script: AUDIT_SCRIPT });
}

const CSS = `
#summary { font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; } #origin { overflow-wrap: anywhere; }
#sample[data-mark="keep"] { background: var(--good); } #sample[data-mark="wrong"] { background: var(--bad); }
#code { max-height: 60vh; overflow: auto; white-space: pre; }
.actions, nav { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 12px 0; }
button { font: inherit; padding: 6px 14px; border: 1px solid var(--line); border-radius: 6px; background: var(--bg); color: var(--fg); cursor: pointer; }
button:hover { border-color: var(--quiet); } nav button { font-size: .85rem; padding: 3px 10px; }
button[aria-pressed="true"], button[aria-current="true"] { border-color: var(--series-1); box-shadow: inset 0 0 0 1px var(--series-1); }
:focus-visible { outline: 2px solid var(--series-1); outline-offset: 2px; }
label { flex: 1; display: flex; gap: 8px; align-items: center; min-width: 220px; } input { flex: 1; min-width: 0; font: inherit; padding: 6px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--bg); color: var(--fg); }
kbd { font: 13px ui-monospace, monospace; border: 1px solid var(--line); border-radius: 4px; padding: 0 4px; }
`;
