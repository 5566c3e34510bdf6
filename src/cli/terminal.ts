import type { ProgressEvent } from "../base/index.js";

/** Where lines go; `process.stderr` is one. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Seconds between plain progress lines where nobody watches a terminal. */
const PLAIN_EVERY = 5;

/**
 * Draws progress: one bar that redraws itself on a terminal, else a plain line every few seconds. `line` prints above the
 * bar; `end` leaves the last state standing.
 */
export class ProgressDisplay {
  private drawn = false;
  private stage = "";
  private finished = false;
  private lastPlain = -Infinity;
  private pending: string | undefined;

  constructor(
    private readonly screen: Screen,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {}

  /** Shows an event. */
  readonly show = (event: ProgressEvent): void => {
    const finished = event.total !== undefined && event.done >= event.total;
    if (event.stage !== this.stage) this.end();
    else if (finished && this.finished) return; // Several levels report the same end.
    this.stage = event.stage;
    this.finished = finished;
    if (this.screen.isTTY) {
      this.screen.write(`\r\u001b[2K${bar(event, (this.screen.columns ?? 80) - 1)}`);
      this.drawn = true;
      return;
    }
    this.pending = describe(event);
    if (!finished && this.now() - this.lastPlain < PLAIN_EVERY) return;
    this.lastPlain = this.now();
    this.flush();
  };

  /** Prints a line of its own. */
  readonly line = (text: string): void => {
    if (this.drawn) this.screen.write("\r\u001b[2K");
    this.drawn = false;
    this.screen.write(`${text}\n`);
  };

  /** The stage is over: what was shown last stays. */
  readonly end = (): void => {
    if (this.drawn) this.screen.write("\n");
    this.drawn = false;
    this.flush();
    this.lastPlain = -Infinity;
    this.stage = "";
  };

  private flush(): void {
    if (this.pending !== undefined) this.screen.write(`${this.pending}\n`);
    this.pending = undefined;
  }
}

/** `stage1 420/1,000 steps (42%), 3:12 left, loss 4.21` */
export function describe(event: ProgressEvent): string {
  const { stage, done, total, unit, etaSeconds, elapsedSeconds, note } = event;
  const amount = total === undefined ? `${thousands(done)} ${unit}` : `${thousands(done)}/${thousands(total)} ${unit}`;
  const share = total === undefined || total === 0 ? "" : ` (${Math.floor((100 * done) / total)}%)`;
  const complete = total !== undefined && done >= total;
  const time = complete || etaSeconds === undefined ? `${clock(elapsedSeconds)} so far` : `${clock(etaSeconds)} left`;
  const timing = complete ? `in ${clock(elapsedSeconds)}` : time;
  return [`${stage} ${amount}${share}`, timing, ...(note === undefined ? [] : [note])].join(", ");
}

/** `stage1 ████████░░░░░░░░░░ 420/1,000 steps (42%), 3:12 left, loss 4.21`, cut to the width of the terminal. */
export function bar(event: ProgressEvent, width: number): string {
  const text = describe(event);
  const room = Math.min(24, width - text.length - 1);
  if (event.total === undefined || event.total === 0 || room < 6) return text.slice(0, Math.max(width, 0));
  const full = Math.round(Math.min(event.done / event.total, 1) * room);
  const drawing = "█".repeat(full) + "░".repeat(room - full);
  return `${event.stage} ${drawing}${text.slice(event.stage.length)}`;
}

/** `42 s`, `3:12`, `1:04:09`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number): string => String(number).padStart(2, "0");
  return hours === 0 ? `${minutes}:${two(rest)}` : `${hours}:${two(minutes)}:${two(rest)}`;
}

/** `12,345` */
export function thousands(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Rows as aligned columns: the first to the left, columns of numbers to the right. The first row is the heading. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map(String));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...cells.map((row) => (row[i] ?? "").length)));
  const numeric = widths.map((_, i) => cells.slice(1).every((row) => /^[-+]?[\d.,]+%?$/.test(row[i] ?? "0")));
  return cells
    .map((row) =>
      widths
        .map((width, i) => (numeric[i] && i > 0 ? (row[i] ?? "").padStart(width) : (row[i] ?? "").padEnd(width)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
