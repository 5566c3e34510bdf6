import { appendFile, mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { lockFolder } from "../src/base/index.js";
import { startMonitor, type RunningServer } from "../src/server/index.js";
import { run, temporaryFolder } from "./helpers/cli.js";
import { startSmallRun } from "./helpers/pretrain-runs.js";
import { chromium, testWithChromium } from "./helpers/requires.js";

const temporary = await temporaryFolder("monitor");
let server: RunningServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface News {
  readonly file: string;
  readonly offset: number;
  readonly restart: boolean;
  readonly lines: readonly Record<string, number>[];
}

async function newRun(name: string, lines: readonly object[]): Promise<string> {
  const folder = join(await mkdtemp(join(temporary, "runs-")), name);
  await mkdir(folder);
  await writeFile(join(folder, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return folder;
}

const line = (step: number, loss: number) => ({
  step,
  loss,
  loss_r: loss - 1,
  loss_d: loss + 1,
  tokens: 600,
  seconds: 2,
});

async function news(from: number, file = ""): Promise<News> {
  return (await (await fetch(`${server!.url}api/runs/0/metrics?from=${from}&file=${file}`)).json()) as News;
}

test("only new whole lines come; a file written anew is read from its start", async () => {
  const folder = await newRun("one", [line(1, 9), line(2, 8)]);
  server = await startMonitor([folder], { port: 0 });
  const first = await news(0);
  expect(first).toMatchObject({ restart: false, lines: [{ step: 1 }, { step: 2, loss: 8 }] });
  const path = join(folder, "metrics.jsonl");
  await appendFile(path, `${JSON.stringify(line(3, 7))}\n{"step": 4, "lo`);
  const second = await news(first.offset, first.file);
  expect(second).toMatchObject({ restart: false, lines: [{ step: 3 }] });
  expect(second.offset).toBeGreaterThan(first.offset);
  expect((await news(second.offset, second.file)).lines).toEqual([]);
  // A resumed run drops what came after its checkpoint and writes on: longer again, but another file.
  await writeFile(
    `${path}.new`,
    [line(1, 9), line(2, 5), line(3, 4), line(4, 3)].map((l) => JSON.stringify(l)).join("\n"),
  );
  await appendFile(`${path}.new`, "\n");
  await rename(`${path}.new`, path);
  const again = await news(second.offset, second.file);
  expect(again.restart).toBe(true);
  expect(again.lines.map(({ loss }) => loss)).toEqual([9, 5, 4, 3]);
});

test("says what runs, what has ended and what has not begun", async () => {
  const out = join(await mkdtemp(join(temporary, "real-")), "small");
  for await (const event of startSmallRun({ stage: "stage1", out, engine: "toy", steps: 4, everySteps: 2 })) void event;
  const running = await newRun("running", [line(1, 9)]);
  const release = await lockFolder(running);
  server = await startMonitor([out, running, join(temporary, "later")], { port: 0 });
  const runs = (await (await fetch(`${server.url}api/runs`)).json()) as unknown[];
  await release();
  expect(runs).toMatchObject([
    { name: "small", state: "ended", stage: "stage1", steps: 4 },
    { name: "running", state: "running", stage: null },
    { name: "later", state: "waiting" },
  ]);
});

test("a page of another origin gets nothing, and nothing but the page's own files is served", async () => {
  server = await startMonitor([await newRun("one", [])], { port: 0 });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(`${server!.url}api/runs`, { headers: { host: "attacker.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  expect(status).toBe(403);
  for (const path of [
    "client/../monitor.js",
    "client/%2e%2e%2fmonitor.js",
    "client/x.ts",
    "api/runs/7/metrics",
    "api/runs/0/metrics?from=-1",
  ]) {
    expect([path, (await fetch(server.url + path)).status]).toEqual([path, 404]);
  }
  const page = await fetch(server.url);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("a taken port and a file instead of a folder are told", async () => {
  const folder = await newRun("one", []);
  server = await startMonitor([folder], { port: 0 });
  const port = Number(new URL(server.url).port);
  await expect(startMonitor([folder], { port })).rejects.toMatchObject({ code: "server.port" });
  const file = join(folder, "metrics.jsonl");
  await expect(startMonitor([file], { port: 0 })).rejects.toMatchObject({ code: "monitor.not-a-run" });
});

testWithChromium("the page draws curves, compares runs and shows what the model would write", async () => {
  const one = await newRun(
    "one",
    Array.from({ length: 1000 }, (_, i) => line(i + 1, 9 - i / 200)),
  );
  const two = await newRun("two", [line(1, 8), line(2, 6)]);
  const sample = {
    step: 900,
    before: "for (let i",
    after: "; i++) <b>",
    truth: " = 0",
    guesses: [{ text: " = 0", probability: 0.8 }],
  };
  await writeFile(join(one, "samples.json"), JSON.stringify([sample]));
  server = await startMonitor([one, two], { port: 0 });
  const { stdout } = await run(chromium!, [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    `--user-data-dir=${await mkdtemp(join(temporary, "profile-"))}`,
    "--virtual-time-budget=3000",
    "--dump-dom",
    server.url,
  ]);
  const labels = [...stdout.matchAll(/<svg[^>]*aria-label="([^"]+)"/g)].map((match) => match[1]);
  expect(labels[0]).toBe(
    "Loss; latest: one: all 4.01, one: random masks 3.01, one: deobfuscation 5.01, two: all 6, two: random masks 5, two: deobfuscation 7",
  );
  expect(labels).toContain("Tokens per second; latest: one: tokens/s 300, two: tokens/s 300");
  expect(stdout.match(/<figure hidden/g)!.length).toBeGreaterThan(3); // What was not recorded is not drawn.
  expect(stdout).toContain("; i++) &lt;b&gt;</pre>");
  expect(stdout).toContain('" = 0" 80%');
  expect(stdout.match(/<ul id="runs">.*<\/ul>/s)![0]).toMatch(/not running, step 1,000, loss 4, 300 tokens\/s/);
});
