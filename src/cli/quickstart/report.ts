import { barChart, escapeHtml, lineChart, renderPage } from "../page/index.js";

/** What `npm start` measured; written as `quickstart/report.json` and drawn as `quickstart/report.html`. */
export interface QuickstartReport {
  /** Wall-clock seconds of the whole job, interrupted runs added up. */
  readonly seconds: number;
  /** Held-out pairs in the one pool that the MRR figures are measured on. */
  readonly pairs: number;
  /** Mean reciprocal rank of summary -> function; `stage2` is stage 2 after stage 1. */
  readonly mrr: { readonly untrained: number; readonly stage1: number; readonly stage2: number; readonly bm25: number };
  readonly phases: Readonly<Record<string, number>>;
  readonly corpus: {
    readonly documents: number;
    readonly functions: number;
    readonly trainingPairs: number;
    readonly packages: readonly string[];
    readonly heldOutPackages: readonly string[];
  };
  readonly model: {
    readonly name: string;
    readonly parameters: number;
    readonly layers: number;
    readonly width: number;
    readonly vocabSize: number;
  };
  readonly stage1: readonly Stage1Point[];
  readonly stage2: readonly Stage2Point[];
  readonly examples: readonly ExampleSearch[];
  readonly machine: { readonly cpu: string; readonly threads: number; readonly node: string; readonly os: string };
  readonly seed: number;
}

/** Means since the point before; a loss is absent where no example of that objective was seen. */
export interface Stage1Point {
  readonly step: number;
  readonly tokens: number;
  readonly lossR: number | null;
  readonly lossD: number | null;
}

export interface Stage2Point {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
}

export interface ExampleSearch {
  readonly query: string;
  /** 1-based ranks of the function that the query documents; null where the query is a question of ours. */
  readonly rank: number | null;
  readonly bm25Rank: number | null;
  readonly hits: readonly {
    readonly name: string;
    readonly place: string;
    readonly code: string;
    readonly score: number;
    readonly correct: boolean;
  }[];
}

/** The report as one self-contained page: no script, no request, light and dark. */
export function renderReport(report: QuickstartReport): string {
  const { mrr } = report;
  const body = `<h1>A code encoder, trained on this machine in ${formatDuration(report.seconds)}</h1>
<p class="lead">${number(report.corpus.trainingPairs)} pairs of a summary and its function from ${report.corpus.packages.length} packages,
a ${report.model.layers}-layer encoder of ${number(report.model.parameters)} parameters, two stages. Searched below:
${number(report.pairs)} functions of ${listOf(report.corpus.heldOutPackages)}, never trained on.</p>
<section class="grid2">
${barChart("Mean reciprocal rank, summary to function", [
  { label: "untrained", value: mrr.untrained, colour: "--quiet" },
  { label: "after stage 1", value: mrr.stage1, colour: "--series-2" },
  { label: "after stage 2", value: mrr.stage2, colour: "--series-1" },
  { label: "BM25", value: mrr.bm25, colour: "--quiet" },
])}
${lineChart("Stage 1: loss at masked positions (nats)", "tokens", [
  { label: "random masks", colour: "--series-1", points: stage1Points(report, "lossR") },
  { label: "deobfuscation", colour: "--series-2", points: stage1Points(report, "lossD") },
])}
${lineChart("Stage 2: contrastive loss (nats)", "step", [
  { label: "loss", colour: "--series-1", points: report.stage2.map((point) => [point.step, point.loss]) },
])}
${lineChart("Stage 2: in-batch accuracy", "step", [
  { label: "accuracy", colour: "--series-1", points: report.stage2.map((point) => [point.step, point.accuracy]) },
])}
</section>
${phaseList(report)}
<h2>Searches in packages it has never seen</h2>
${report.examples.map(renderExample).join("\n")}
<footer>Seed ${report.seed}; ${escapeHtml(report.machine.cpu)}, ${report.machine.threads} threads, Node ${escapeHtml(report.machine.node)}, ${escapeHtml(report.machine.os)}.
Trained on ${listOf(report.corpus.packages)}.</footer>`;
  return renderPage({ title: "Lodestone quickstart", body, css: CSS });
}

function stage1Points(report: QuickstartReport, key: "lossR" | "lossD"): [number, number][] {
  return report.stage1.flatMap((point) =>
    point[key] === null ? [] : [[point.tokens, point[key]] as [number, number]],
  );
}

function renderExample(example: ExampleSearch): string {
  const hits = example.hits.map(
    (hit) =>
      `<li${hit.correct ? ' class="correct"' : ""}><div class="hit"><b>${escapeHtml(hit.name)}</b> <span class="muted">${escapeHtml(hit.place)}</span>` +
      `<span class="score">${hit.score.toFixed(3)}${hit.correct ? " &#10003;" : ""}</span></div><pre>${escapeHtml(hit.code)}</pre></li>`,
  );
  const note =
    example.rank === null
      ? "A question of ours; no answer is marked."
      : `The function that it documents: rank ${example.rank} here, rank ${example.bm25Rank} for BM25.`;
  return `<article><h3>${escapeHtml(example.query)}</h3>
<p class="muted">${note}</p>
<ol>${hits.join("\n")}</ol></article>`;
}

function phaseList(report: QuickstartReport): string {
  const phases = Object.entries(report.phases).map(
    ([name, seconds]) => `<div><dt>${escapeHtml(name)}</dt><dd>${seconds.toFixed(1)} s</dd></div>`,
  );
  return `<figure><figcaption>Where the time went</figcaption><dl>${phases.join("")}</dl></figure>`;
}

function listOf(items: readonly string[]): string {
  const escaped = items.map(escapeHtml);
  return escaped.length < 2 ? escaped.join("") : `${escaped.slice(0, -1).join(", ")} and ${escaped.at(-1)!}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** `93` is "1 min 33 s". */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const CSS = `
dl { display: flex; flex-wrap: wrap; gap: 8px 40px; margin: 0; } dt { color: var(--muted); font-size: .9rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
ol { margin: 0; padding-left: 24px; } li { margin-bottom: 8px; } li.correct pre { background: var(--good); }
.hit { display: flex; flex-wrap: wrap; gap: 2px 10px; } .hit > *, h3 { min-width: 0; overflow-wrap: anywhere; } .score { margin-left: auto; font-variant-numeric: tabular-nums; }
`;
