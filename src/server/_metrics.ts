const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type Labels = Readonly<Record<string, string>>;

/** Counters, gauges and histograms in Prometheus' text format (version 0.0.4). */
export class Metrics {
  private readonly counters = new Map<string, Map<string, number>>();
  private readonly histograms = new Map<string, Map<string, { counts: number[]; sum: number; count: number }>>();
  private readonly gauges = new Map<string, () => number>();
  private readonly helps = new Map<string, string>();

  /** Declares a metric: what it counts, in words. */
  describe(name: string, help: string): void {
    this.helps.set(name, help);
  }

  /** Adds to a counter. */
  add(name: string, labels: Labels = {}, by = 1): void {
    const series = this.counters.get(name) ?? new Map<string, number>();
    this.counters.set(name, series);
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  /** A value that is read when it is asked for. */
  gauge(name: string, read: () => number): void {
    this.gauges.set(name, read);
  }

  /** Adds to a histogram of seconds. */
  observe(name: string, labels: Labels, seconds: number): void {
    const series = this.histograms.get(name) ?? new Map<string, { counts: number[]; sum: number; count: number }>();
    this.histograms.set(name, series);
    const key = labelText(labels);
    const held = series.get(key) ?? { counts: BOUNDS.map(() => 0), sum: 0, count: 0 };
    series.set(key, held);
    held.sum += seconds;
    held.count += 1;
    BOUNDS.forEach((bound, i) => (held.counts[i]! += seconds <= bound ? 1 : 0));
  }

  /** All of it, as text. */
  text(): string {
    const lines: string[] = [];
    const head = (name: string, type: string): void => {
      const help = this.helps.get(name);
      if (help !== undefined) lines.push(`# HELP ${name} ${help}`);
      lines.push(`# TYPE ${name} ${type}`);
    };
    for (const [name, series] of this.counters) {
      head(name, "counter");
      for (const [labels, value] of series) lines.push(`${name}${braced(labels)} ${value}`);
    }
    for (const [name, read] of this.gauges) {
      head(name, "gauge");
      lines.push(`${name} ${read()}`);
    }
    for (const [name, series] of this.histograms) {
      head(name, "histogram");
      for (const [labels, { counts, sum, count }] of series) {
        const bucket = (le: string, value: number): string =>
          `${name}_bucket{${labels}${labels === "" ? "" : ","}le="${le}"} ${value}`;
        BOUNDS.forEach((bound, i) => lines.push(bucket(String(bound), counts[i]!)));
        lines.push(
          bucket("+Inf", count),
          `${name}_sum${braced(labels)} ${sum}`,
          `${name}_count${braced(labels)} ${count}`,
        );
      }
    }
    return `${lines.join("\n")}\n`;
  }
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`)
    .join(",");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}
