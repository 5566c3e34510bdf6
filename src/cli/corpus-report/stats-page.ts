import type { CorpusStats, DroppedRule, LanguageStats, Lengths } from "../../corpus/index.js";
import { barChart, columnChart, escapeHtml, renderPage } from "../page/index.js";
import { thousands } from "../terminal.js";

/** The measures of a corpus as one page without script or request. */
export function renderStats(stats: CorpusStats, name: string): string {
  const languages = Object.entries(stats.languages);
  const body = [
    `<h1>${thousands(stats.pairs)} pairs from ${thousands(stats.functions)} functions</h1>`,
    `<p class="lead">The corpus ${escapeHtml(name)}: ${thousands(stats.documents)} whole files for stage 1 and`,
    `${thousands(stats.pairs)} pairs of a summary and its function for stage 2, in ${languages.length} languages from`,
    `${thousands(stats.sources.count)} sources.</p>`,
    counts(stats),
    `<section class="grid2">`,
    barChart("Pairs", bars(languages, "pairs"), thousands),
    barChart("Documents", bars(languages, "documents"), thousands),
    "</section>",
    splits(stats),
    tokens(languages),
    overlap(languages),
    "<h2>Each language: lengths and origins</h2>",
    ...languages.map(([lang, one]) => language(lang, one)),
    dropped(stats),
    licences(stats),
    sources(stats),
  ].join("\n");
  return renderPage({ title: `Corpus ${name}`, body, css: CSS });
}

function bars(languages: readonly [string, LanguageStats][], key: "pairs" | "documents") {
  return languages.map(([label, one]) => ({ label, value: one[key], colour: "--series-1" }));
}

function counts(stats: CorpusStats): string {
  const rows = Object.entries(stats.languages).map(([lang, one]) => [
    lang,
    ...[one.files, one.functions, one.withDocstring, one.withSummary, one.documents, one.pairs].map(thousands),
    percent(one.functions === 0 ? 0 : one.pairs / one.functions),
    one.origins.top[0] === undefined ? "" : `${percent(one.origins.largestShare)} ${one.origins.top[0].origin}`,
    one.audit === null
      ? "not read"
      : `${percent(one.audit.precision)} (${percent(one.audit.low)} to ${percent(one.audit.high)}; ${one.audit.marked} read)`,
  ]);
  const sum = (key: "files" | "functions" | "withDocstring" | "withSummary" | "documents" | "pairs"): string =>
    thousands(Object.values(stats.languages).reduce((all, one) => all + one[key], 0));
  const keys = ["files", "functions", "withDocstring", "withSummary", "documents", "pairs"] as const;
  const total = ["all", ...keys.map(sum), percent(stats.functions === 0 ? 0 : stats.pairs / stats.functions), "", ""];
  return table(
    "From files to pairs",
    [
      ...["language", "files", "functions", "with docstring", "with usable summary", "documents", "pairs"],
      ...["pairs / functions", "largest origin", "precision (95% interval)"],
    ],
    [...rows, total],
    "Pairs are what is left of the usable summaries after repeats, near duplicates and evaluation sets are removed.",
  );
}

function splits({ splits, languages }: CorpusStats): string {
  const rows = Object.entries(splits).map(([split, { documents, pairs }]) => [
    split,
    thousands(documents),
    thousands(pairs),
    ...Object.values(languages).map((one) => thousands(one.pairsBySplit[split as keyof typeof splits])),
  ]);
  const heads = Object.keys(languages).map((lang) => `pairs: ${lang}`);
  return table("Splits", ["split", "documents", "pairs", ...heads], rows);
}

function tokens(languages: readonly [string, LanguageStats][]): string {
  const rows = languages.map(([lang, { tokens: split }]) => [
    lang,
    ...[split.codeShare, split.identifiersOfCode, split.literalShare, split.textOfLiterals].map(percent),
    thousands(split.documents),
  ]);
  const paper = ["Stack-Python, in the paper", "57.8%", "53.8%", "42.2%", "92.9%", ""];
  return table(
    "What tokens are",
    [
      ...["language", "code", "identifiers, of code", "literals", "strings and comments, of literals"],
      "documents counted",
    ],
    [...rows, paper],
    "Leaves of the syntax tree, each counted in the tokens of this report (words cut at case, runs of marks). The paper counts StarCoder's tokens.",
  );
}

function overlap(languages: readonly [string, LanguageStats][]): string {
  const rows = languages.map(
    ([
      lang,
      {
        overlap: { tokens: all, words },
      },
    ]) => [
      lang,
      ...[all, words].flatMap(({ summary, docstring }) =>
        [summary.signature, summary.body, docstring.signature, docstring.body].map(percent),
      ),
    ],
  );
  const heads = ["", ", words only"].flatMap((kind) => [
    ...[`signature in summary${kind}`, `body in summary${kind}`],
    ...[`signature in docstring${kind}`, `body in docstring${kind}`],
  ]);
  const paper = ["Stack-Python, in the paper", "12.3%", "11.6%", "22.3%", "23.1%", "", "", "", ""];
  return table(
    "How much of the code its documentation says",
    ["language", ...heads],
    [...rows, paper],
    "Share of the tokens of a signature or body that stand in the summary or docstring too, whatever their case.",
  );
}

function language(lang: string, { lengths, origins }: LanguageStats): string {
  const note = ({ median, p95 }: Lengths): string => `median ${thousands(median)}, 95% up to ${thousands(p95)}`;
  const chart = (title: string, unit: string, of: Lengths): string => columnChart(title, unit, of.bins, note(of));
  const rows = origins.top.map(({ origin, pairs, share }) => [origin, thousands(pairs), percent(share)]);
  return [
    `<details><summary>${escapeHtml(lang)} <span class="muted">${thousands(origins.count)} ${origins.count === 1 ? "origin" : "origins"}, the largest gives ${percent(origins.largestShare)}</span></summary>`,
    `<section class="grid3">`,
    chart("Summary", "words", lengths.summary),
    chart("Docstring", "words", lengths.docstring),
    chart("Function", "tokens", lengths.code),
    chart("Body", "tokens", lengths.body),
    chart("Function", "lines", lengths.lines),
    chart("Document", "characters", lengths.document),
    "</section>",
    table("", ["origin", "pairs", "share of the language"], rows),
    "</details>",
  ].join("\n");
}

function dropped({ dropped: rules, excluded }: CorpusStats): string {
  const parts = ["<h2>What was dropped, and samples of it</h2>", ...rules.map(rule)];
  if (excluded.length > 0) {
    const rows = excluded.map(({ set, texts, functions, pairs, documents }) => [
      set,
      ...[texts, functions, pairs, documents].map(thousands),
    ]);
    const heads = ["set", "its texts", "functions found", "pairs removed", "documents removed"];
    parts.push(table("Evaluation sets kept out", heads, rows));
  }
  return parts.join("\n");
}

function rule({ rule: name, of, total, languages, samples }: DroppedRule): string {
  const counted = Object.entries(languages).map(([lang, count]) => `${lang} ${thousands(count)}`);
  const shown = samples.map(
    ({ origin, path, startLine, name: called, docstring, text }) =>
      `<li><div class="muted">${escapeHtml(`${origin} ${path}${startLine === undefined ? "" : `:${startLine}`}`)}${called === undefined ? "" : ` <b>${escapeHtml(called)}</b>`}</div>` +
      (docstring === undefined || docstring === "" ? "" : `<blockquote>${escapeHtml(docstring)}</blockquote>`) +
      (text === undefined || text === "" ? "" : `<pre>${escapeHtml(text)}</pre>`) +
      "</li>",
  );
  const list = shown.length === 0 ? `<p class="muted">No samples were kept.</p>` : `<ol>${shown.join("\n")}</ol>`;
  return (
    `<details><summary>${escapeHtml(name)} <span class="muted">${thousands(total)} ${of}</span></summary>` +
    `${counted.length === 0 ? "" : `<p class="muted">${escapeHtml(counted.join(", "))}</p>`}${list}</details>`
  );
}

function licences({ licences: all }: CorpusStats): string {
  const rows = all.map(({ licence, documents, pairs }) => [licence, thousands(documents), thousands(pairs)]);
  return table("Licences", ["licence", "documents", "pairs"], rows);
}

function sources({ sources: { top, count } }: CorpusStats): string {
  const rows = top.map(({ origin, characters, documents, pairs }) => [
    origin,
    ...[`${(characters / 1e6).toFixed(2)} MB`, thousands(documents), thousands(pairs)],
  ]);
  const note = count > top.length ? `The ${top.length} largest of ${thousands(count)}.` : "";
  return table("Sources by size", ["source", "characters", "documents", "pairs"], rows, note);
}

/** A table under a heading, in a box that scrolls where it is wider than the page. */
function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[], note = ""): string {
  const head = heads.map((one) => `<th scope="col">${escapeHtml(one)}</th>`).join("");
  const lines = rows.map(
    ([first = "", ...rest]) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  return [
    title === "" ? "" : `<h2>${escapeHtml(title)}</h2>`,
    note === "" ? "" : `<p class="muted">${escapeHtml(note)}</p>`,
    // Boxes that scroll must be reachable by keyboard.
    `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title === "" ? (heads[0] ?? "") : title)}">`,
    `<table><thead><tr>${head}</tr></thead><tbody>${lines.join("\n")}</tbody></table></div>`,
  ].join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

const CSS = `
.scroll { overflow-x: auto; margin-bottom: 20px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; border-top: 1px solid var(--line); vertical-align: bottom; } td { white-space: nowrap; }
thead th { border-top: 0; color: var(--muted); font-weight: 500; } th:first-child { text-align: left; font-weight: 600; }
details { margin-bottom: 10px; padding: 10px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; } summary .muted { font-weight: 400; margin-left: 8px; } details figure, details .scroll { background: var(--bg); }
.grid3 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 14px; margin: 14px 0; }
li { margin-bottom: 12px; overflow-wrap: anywhere; } ol { padding-left: 24px; } blockquote { margin: 4px 0; padding-left: 10px; border-left: 3px solid var(--line); white-space: pre-wrap; }
`;
