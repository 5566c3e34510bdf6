/**
 * `npm run curves -- RUN --out PATH [--every N]`
 *
 * Makes the curves of a pretraining run small enough to keep: PATH.jsonl has the mean of every N updates (100 if not
 * given), with the tokens seen so far and what evaluations found, and PATH.html draws them.
 */
import { parseArgs } from "node:util";
import { LANGUAGES, UserError, writeFileAtomic } from "../src/base/index.js";
import { lineChart, renderPage, type Series } from "../src/cli/page/index.js";
import { readMetrics, type MetricsLine } from "../src/pretrain/index.js";

const USAGE = "npm run curves -- RUN --out PATH [--every N]";
const { values, positionals } = parseArgs({
  options: { out: { type: "string" }, every: { type: "string", default: "100" } },
  allowPositionals: true,
});
const every = Number(values.every);
if (positionals.length !== 1 || values.out === undefined || !Number.isInteger(every) || every < 1) {
  throw new UserError("arguments.value", "curves: expected one run, --out and a whole number of updates", {
    fix: USAGE,
  });
}

type Line = Record<string, number>;
const lines = thinned(await readMetrics(positionals[0]!));
await writeFileAtomic(`${values.out}.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
await writeFileAtomic(`${values.out}.html`, page(lines));

/** Means of each key over the lines that have it; what was counted is added up; evaluations stay as they are. */
function thinned(all: readonly MetricsLine[]): Line[] {
  const result: Line[] = [];
  let tokens = 0;
  for (let from = 0; from < all.length; from += every) {
    const group: readonly Line[] = all.slice(from, from + every).map((line) => ({ ...line }));
    const line: Line = { step: group.at(-1)!["step"]! };
    for (const key of new Set(group.flatMap((one) => Object.keys(one)))) {
      if (key === "step") continue;
      const found = group.flatMap((one) => (one[key] === undefined ? [] : [one[key]]));
      const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
      line[key] = Number((key.startsWith("validation_") ? found.at(-1)! : mean).toPrecision(5));
    }
    tokens += group.reduce((sum, one) => sum + (one["tokens"] ?? 0), 0);
    result.push({ ...line, tokens_so_far: tokens });
  }
  return result;
}

function page(all: readonly Line[]): string {
  const series = (keys: Readonly<Record<string, string>>): Series[] =>
    Object.entries(keys).map(([key, label], i) => ({
      label,
      colour: `--series-${(i % 5) + 1}`,
      points: all.flatMap((line): [number, number][] =>
        line[key] === undefined ? [] : [[line["tokens_so_far"]! / 1e6, line[key]]],
      ),
    }));
  const chart = (title: string, keys: Readonly<Record<string, string>>): string =>
    lineChart(title, "million tokens", series(keys));
  const byLanguage = (objective: "r" | "d", languages: readonly string[]): Record<string, string> =>
    Object.fromEntries(languages.map((lang) => [`validation_accuracy_${objective}_${lang}`, lang]));
  const [some, others] = [LANGUAGES.slice(0, 5), LANGUAGES.slice(5)];
  const charts = [
    chart("Masked loss in training (nats)", { loss_r: "random masks", loss_d: "names" }),
    chart("Accuracy at masked tokens in training", { accuracy_r: "random masks", accuracy_d: "names" }),
    chart("Contrastive loss (nats)", { ...("loss_r" in all[0]! ? {} : { loss: "pairs" }) }),
    chart("Held out: masked loss (nats)", { validation_loss_r: "random masks", validation_loss_d: "names" }),
    chart("Held out: accuracy", { validation_accuracy_r: "random masks", validation_accuracy_d: "names" }),
    ...(["r", "d"] as const).flatMap((objective) =>
      [some, others].map((part) =>
        chart(`Held out: accuracy, ${objective === "r" ? "random masks" : "names"}`, byLanguage(objective, part)),
      ),
    ),
    chart("Held out: retrieval MRR", { validation_mrr: "MRR" }),
    chart("Held out: effective rank", { validation_effective_rank: "directions in use" }),
    chart("Held out: mean cosine", { validation_mean_cosine: "of two texts, of two functions" }),
    chart("Learning rate", { learning_rate: "rate" }),
    chart("Tokens per second", { tokens_per_second: "tokens/s" }),
  ].filter((html) => html.includes("<svg"));
  return renderPage({
    title: "A pretraining run",
    body: `<h1>A pretraining run</h1><div class="grid2">${charts.join("\n")}</div>`,
  });
}
