import { mkdir, open, readFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, logWrite, UserError, writeError, writeFileAtomic } from "../base/index.js";

/** One line of `metrics.jsonl`. */
export type MetricsLine = Readonly<Record<string, number>> & { readonly step: number };

/**
 * `metrics.jsonl` of a run folder: one line per update, in order. A resumed run first drops the lines after its
 * checkpoint, and whatever a kill left half written, so that the file reads as if nothing had happened.
 */
export class MetricsFile {
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  /** @param step updates done; later lines are dropped. @throws UserError `output.full`, `output.unwritable` */
  static async open(run: string, step: number): Promise<MetricsFile> {
    const path = metricsPath(run);
    try {
      await mkdir(run, { recursive: true });
      const text = await readFile(path, "utf8").catch((error: unknown) => {
        if (errnoOf(error) === "ENOENT") return "";
        throw error;
      });
      const kept = text.split("\n").filter((line) => (stepOf(line) ?? Infinity) <= step);
      const wanted = kept.map((line) => `${line}\n`).join("");
      if (wanted !== text) await writeFileAtomic(path, wanted);
      return new MetricsFile(path, await open(path, "a"));
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** @throws UserError `output.full` */
  async append(line: MetricsLine): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    logWrite("append", this.path, bytes.length);
    try {
      await this.handle.appendFile(bytes);
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Makes the lines durable: before a checkpoint that follows them. */
  async sync(): Promise<void> {
    try {
      await this.handle.datasync();
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }
}

/** Where a run's metrics lie. */
export function metricsPath(run: string): string {
  return join(run, "metrics.jsonl");
}

/** Reads a run's metrics. @throws UserError `metrics.missing` */
export async function readMetrics(run: string): Promise<MetricsLine[]> {
  const path = metricsPath(run);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new UserError(
      "metrics.missing",
      `${path}: expected the metrics of a run, got ${errnoOf(error) ?? "an error"}`,
      {
        fix: "Name the folder of a pretraining run",
        cause: error,
      },
    );
  });
  return text.split("\n").flatMap((line) => (stepOf(line) === undefined ? [] : [JSON.parse(line) as MetricsLine]));
}

/** The step of a whole line, undefined for anything else. */
function stepOf(line: string): number | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("step" in value)) return undefined;
    return typeof value.step === "number" ? value.step : undefined;
  } catch {
    return undefined;
  }
}
