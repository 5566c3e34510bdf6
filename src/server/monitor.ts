import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Hono } from "hono";
import { isFolderLocked, UserError } from "../base/index.js";
import { latestMeta, metricsPath } from "../pretrain/index.js";
import { MONITOR_PAGE } from "../web/index.js";
import { clientScript } from "./_client-files.js";
import { knownHosts, PAGE_HEADERS, startServer, type Address, type RunningServer } from "./_local.js";

/** Bytes of metrics in one answer; a long run comes in several. */
const PIECE = 4 * 2 ** 20;

/**
 * Serves a page that shows training runs as they go: their `metrics.jsonl`, whether they run, and how much is left. Reads
 * only; a run does not notice.
 *
 * @param folders run folders; one that does not exist yet is shown as not begun
 * @throws UserError `monitor.not-a-run`, `server.port`
 */
export async function startMonitor(folders: readonly string[], address: Address): Promise<RunningServer> {
  const runs = folders.map((folder) => resolve(folder));
  for (const run of runs) await requireRun(run);
  const app = new Hono();
  app.use(knownHosts(address.host === undefined ? [] : [address.host]));
  app.get("/", (context) => context.html(MONITOR_PAGE, 200, PAGE_HEADERS));
  app.get("/client/:name", async (context) => {
    const text = await clientScript(context.req.param("name"));
    if (text === undefined) return context.notFound();
    return context.body(text, 200, { ...PAGE_HEADERS, "Content-Type": "text/javascript; charset=utf-8" });
  });
  app.get("/api/runs", async (context) =>
    context.json(await Promise.all(runs.map((run, id) => describeRun(run, id, runs))), 200, PAGE_HEADERS),
  );
  app.get("/api/runs/:id/metrics", async (context) => {
    const run = runs[Number(context.req.param("id"))];
    const from = Number(context.req.query("from") ?? 0);
    if (run === undefined || !Number.isSafeInteger(from) || from < 0) return context.notFound();
    return context.json(await metricsSince(metricsPath(run), from, context.req.query("file")), 200, PAGE_HEADERS);
  });
  return startServer(app, address);
}

/** New lines of a run's metrics. */
interface News {
  /** Names the file that was read. */
  readonly file: string;
  /** Where to go on. */
  readonly offset: number;
  /** What was read before no longer holds. */
  readonly restart: boolean;
  readonly lines: readonly Record<string, unknown>[];
}

async function requireRun(run: string): Promise<void> {
  const info = await stat(run).catch(() => undefined);
  if (info === undefined || info.isDirectory()) return;
  throw new UserError("monitor.not-a-run", `${run}: expected the folder of a training run, got a file`, {
    fix: "Give what --out named when the training was started",
  });
}

async function describeRun(run: string, id: number, all: readonly string[]): Promise<Record<string, unknown>> {
  const meta = await latestMeta(run).catch(() => undefined);
  const training = meta?.config["training"] as { steps?: number } | undefined;
  const twins = all.filter((other) => basename(other) === basename(run)).length;
  const running = await isFolderLocked(run);
  return {
    id,
    name: twins > 1 ? run : basename(run),
    state: running ? "running" : meta === undefined ? "waiting" : "ended",
    stage: meta?.stage ?? null,
    steps: training?.steps ?? null,
    samples: await readSamples(run),
  };
}

/** `samples.json`, which training writes at evaluations; a run without has none. */
async function readSamples(run: string): Promise<unknown[]> {
  const text = await readFile(join(run, "samples.json"), "utf8").catch(() => "[]");
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch {
    return []; // Caught in the middle of a write by another tool; the next request reads it whole.
  }
}

/**
 * Whole lines from a byte offset on. A resumed run writes its file anew without the lines that it drops: another file, or
 * a shorter one, is read from its start.
 */
async function metricsSince(path: string, from: number, file: string | undefined): Promise<News> {
  const info = await stat(path).catch(() => undefined);
  const size = info?.size ?? 0;
  const now = info === undefined ? "" : String(info.ino);
  const restart = from > 0 && (size < from || now !== file);
  const start = restart ? 0 : from;
  if (size === start) return { file: now, offset: start, restart, lines: [] };
  const pieces: Buffer[] = [];
  for await (const piece of createReadStream(path, { start, end: Math.min(size, start + PIECE) - 1 })) {
    pieces.push(piece as Buffer);
  }
  const bytes = Buffer.concat(pieces);
  const end = bytes.lastIndexOf(10) + 1; // The last line may be half written.
  const lines = bytes
    .subarray(0, end)
    .toString("utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return typeof value === "object" && value !== null ? [value as Record<string, unknown>] : [];
      } catch {
        return [];
      }
    });
  return { file: now, offset: start + end, restart, lines };
}
