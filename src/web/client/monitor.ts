/** The page of `lodestone monitor`: asks for new lines of the runs' metrics and draws them. */
import { Chart, short, type Series } from "./chart.js";

/** As `/api/runs` gives it. */
interface RunInfo {
  readonly id: number;
  readonly name: string;
  readonly state: "running" | "ended" | "waiting";
  readonly stage: string | null;
  readonly steps: number | null;
  readonly samples: readonly Sample[];
}
interface Sample {
  readonly step: number;
  readonly before: string;
  readonly after: string;
  readonly truth: string;
  readonly guesses: readonly { readonly text: string; readonly probability: number }[];
}
/** As `/api/runs/ID/metrics` gives it. */
interface News {
  /** Names the file that was read. */
  readonly file: string;
  readonly offset: number;
  /** What was read before no longer holds. */
  readonly restart: boolean;
  readonly lines: readonly Readonly<Record<string, number>>[];
}

interface Run {
  info: RunInfo;
  offset: number;
  file: string;
  lines: Readonly<Record<string, number>>[];
  shown: boolean;
}

/** What is drawn together: keys of the metrics, and how they are called. */
const CHARTS: readonly { readonly title: string; readonly keys: Readonly<Record<string, string>> }[] = [
  { title: "Loss", keys: { loss: "all", loss_r: "random masks", loss_d: "deobfuscation" } },
  { title: "Accuracy at masked tokens", keys: { accuracy_r: "random masks", accuracy_d: "deobfuscation" } },
  { title: "In-batch accuracy", keys: { accuracy: "pairs found" } },
  {
    title: "Similarity",
    keys: { positive_similarity: "positive", hardest_negative_similarity: "hardest negative" },
  },
  { title: "Temperature", keys: { temperature: "tau" } },
  {
    title: "Held out: loss",
    keys: { validation_loss_r: "random masks", validation_loss_d: "deobfuscation", validation_loss: "pairs" },
  },
  {
    title: "Held out: accuracy",
    keys: { validation_accuracy_r: "random masks", validation_accuracy_d: "deobfuscation" },
  },
  { title: "Held out: retrieval MRR", keys: { validation_mrr: "MRR" } },
  { title: "Held out: effective rank", keys: { validation_effective_rank: "directions in use" } },
  { title: "Held out: mean cosine", keys: { validation_mean_cosine: "of two texts, of two functions" } },
  { title: "Learning rate", keys: { learning_rate: "rate" } },
  { title: "Gradient norm", keys: { grad_norm: "norm" } },
  { title: "Tokens per second", keys: { tokens_per_second: "tokens/s" } },
  { title: "Engine busy", keys: { engine_busy: "share" } },
  { title: "Memory (GB)", keys: { memory_gb: "resident" } },
];
const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"];

const runs: Run[] = [];
const charts = CHARTS.map(({ title }) => new Chart(title));
const element = (id: string): HTMLElement => document.querySelector<HTMLElement>(`#${id}`)!;
element("charts").append(...charts.map((chart) => chart.element));

async function refresh(): Promise<void> {
  const infos = (await (await fetch("/api/runs")).json()) as RunInfo[];
  for (const info of infos) {
    const run = (runs[info.id] ??= { info, offset: 0, file: "", lines: [], shown: true });
    run.info = info;
    const news = (await (
      await fetch(`/api/runs/${info.id}/metrics?from=${run.offset}&file=${run.file}`)
    ).json()) as News;
    if (news.restart) run.lines = [];
    for (const line of news.lines) run.lines.push(withRates(line));
    run.offset = news.offset;
    run.file = news.file;
  }
  draw();
}

function withRates(line: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const { tokens, seconds } = line;
  if (tokens === undefined || seconds === undefined || "tokens_per_second" in line) return line;
  return { ...line, tokens_per_second: tokens / seconds };
}

function draw(): void {
  const shown = runs.filter((run) => run.shown);
  charts.forEach((chart, index) => {
    const keys = Object.entries(CHARTS[index]!.keys);
    let colour = 0;
    const series = shown.flatMap((run) =>
      keys.flatMap(([key, label], place): Series[] => {
        const lines = run.lines.filter((line) => key in line);
        if (lines.length === 0) return [];
        return [
          {
            label: shown.length > 1 ? `${run.info.name}: ${label}` : label,
            colour: COLOURS[colour++ % COLOURS.length]!,
            dashed: shown.length > 1 && place > 0,
            x: lines.map((line) => line["step"]!),
            y: lines.map((line) => line[key]!),
          },
        ];
      }),
    );
    chart.draw(series);
  });
  element("runs").replaceChildren(...runs.map(summary));
  const [first] = shown;
  drawSamples(first?.info.samples ?? []);
}

function summary(run: Run): HTMLElement {
  const item = document.createElement("li");
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = run.shown;
  box.addEventListener("change", () => {
    run.shown = box.checked;
    draw();
  });
  const name = document.createElement("b");
  name.textContent = run.info.name;
  label.append(box, name);
  const facts = document.createElement("span");
  facts.className = "facts";
  facts.textContent = describe(run);
  item.dataset["state"] = run.info.state;
  item.append(label, facts);
  return item;
}

/** `stage1, running, step 420 of 1,000, 3,100 tokens/s, 12 min left` */
function describe(run: Run): string {
  const { info, lines } = run;
  const last = lines.at(-1);
  const step = last?.["step"];
  const recent = lines.slice(-50);
  const seconds = recent.reduce((sum, line) => sum + (line["seconds"] ?? 0), 0);
  const tokens = recent.reduce((sum, line) => sum + (line["tokens"] ?? 0), 0);
  const left =
    info.steps === null || step === undefined || seconds === 0 ? 0 : ((info.steps - step) * seconds) / recent.length;
  return [
    info.stage ?? (last === undefined ? "not begun" : "training"),
    info.state === "running" ? "running" : info.steps !== null && step === info.steps ? "finished" : "not running",
    ...(step === undefined ? [] : [`step ${short(step)}${info.steps === null ? "" : ` of ${short(info.steps)}`}`]),
    ...(last?.["loss"] === undefined ? [] : [`loss ${short(last["loss"])}`]),
    ...(seconds > 0 && tokens > 0 ? [`${short(tokens / seconds)} tokens/s`] : []),
    ...(info.state === "running" && left > 0 ? [`${duration(left)} left`] : []),
  ].join(", ");
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

function drawSamples(samples: readonly Sample[]): void {
  element("samples").hidden = samples.length === 0;
  element("sample-list").replaceChildren(
    ...samples.map((sample) => {
      const item = document.createElement("li");
      const code = document.createElement("pre");
      const mark = document.createElement("mark");
      mark.textContent = sample.truth;
      code.append(sample.before, mark, sample.after);
      const guesses = document.createElement("p");
      guesses.textContent = `step ${short(sample.step)}: ${sample.guesses
        .map(({ text, probability }) => `${JSON.stringify(text)} ${(100 * probability).toFixed(0)}%`)
        .join(", ")}`;
      item.className = sample.guesses[0]?.text.trim() === sample.truth.trim() ? "right" : "";
      item.append(code, guesses);
      return item;
    }),
  );
}

/** Again after a while; a server that is gone is said, and asked again. */
async function follow(): Promise<void> {
  for (;;) {
    try {
      await refresh();
      element("status").textContent = "";
    } catch {
      element("status").textContent = "The monitor does not answer; trying again.";
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
void follow();
