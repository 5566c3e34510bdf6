import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.js";
import { openIndex } from "./index.js";

let folder: string;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-faults-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function makeRepo(files = 30): string {
  const repo = join(folder, `repo-${count++}`);
  mkdirSync(join(repo, "src"), { recursive: true });
  for (let i = 0; i < files; i++) writeFileSync(join(repo, "src", `f${i}.py`), functionText(i, "first"));
  return repo;
}
const functionText = (i: number, word: string): string =>
  `def place${i}(x):\n    """The ${word} of number${i}."""\n    return x\n`;

/** A process that opens the index of `repo`, as it is compiled, running `body` with it. */
function script(repo: string, body: string): string {
  const path = join(folder, `run-${count++}.mjs`);
  const here = JSON.stringify(new URL("../../dist/search/index.js", import.meta.url).href);
  writeFileSync(
    path,
    `const { openIndex } = await import(${here});
    try {
      const index = await openIndex(${JSON.stringify(repo)}, {});
      ${body}
      await index.close();
    } catch (error) {
      process.stdout.write(String(error.code) + " " + error.message);
      process.exitCode = 2;
    }`,
  );
  return path;
}
const kill = new URL("../../test/helpers/kill-at-write.mjs", import.meta.url).href;

test("killed at 20 random writes: the last good index answers, and the next run completes it", async () => {
  const repo = makeRepo();
  const [index, log] = [join(repo, ".lodestone"), join(folder, "writes.log")];
  const first = await openIndex(repo, {});
  expect((await first.search("first of number7")).hits[0]).toMatchObject({ name: "place7" });
  await first.close();
  const run = script(repo, "");
  const rng = Rng.fromSeed(20);
  const node = (at: number) =>
    spawnSync(process.execPath, ["--import", kill, run], {
      encoding: "utf8",
      env: { ...process.env, LODESTONE_WRITE_LOG: log, LODESTONE_TEST_KILL_AT: String(at) },
    });
  await rm(log, { force: true });
  writeFileSync(join(repo, "src/f7.py"), functionText(7, "trial"));
  expect(node(0)).toMatchObject({ status: 0 });
  const writes = readFileSync(log, "utf8").trim().split("\n").length;
  expect(writes).toBeGreaterThan(5);
  let word = "trial";
  for (let round = 0; round < 20; round++) {
    const next = `word${round}`;
    writeFileSync(join(repo, "src/f7.py"), functionText(7, next));
    const at = 1 + rng.int(writes);
    await rm(log, { force: true });
    expect(node(at).signal, `write ${at}`).toBe("SIGKILL");
    // What is on disk is whole: the old state or the new one.
    const held = await openIndex(repo, { refresh: "none" });
    const { notes, hits } = await held.search(`${word} ${next} number7`);
    expect({ notes, name: hits[0]?.name }).toEqual({ notes: [], name: "place7" });
    expect(await held.status()).toMatchObject({ files: 30, chunks: 30 });
    await held.close();
    const after = await openIndex(repo, {});
    expect((await after.search(`${next} of number7`, { text: true })).hits[0]).toMatchObject({ name: "place7" });
    expect((await after.status({ compare: true })).outdated).toBe(0);
    await after.close();
    expect((await readdir(index)).filter((name) => name.startsWith("generation")).length).toBeLessThanOrEqual(2);
    word = next;
  }
}, 300_000);

test("a full disk is told of, and the old index answers", async () => {
  const repo = makeRepo(200);
  await (await openIndex(repo, {})).close();
  for (let i = 0; i < 100; i++) writeFileSync(join(repo, "src", `f${i}.py`), functionText(i, "second"));
  const run = script(repo, "");
  for (const kilobytes of [0, 4, 16]) {
    const command = `ulimit -f ${kilobytes}; exec ${process.execPath} ${run}`;
    const { stdout, status } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
    expect({ stdout, status }).toMatchObject({ status: 2, stdout: expect.stringMatching(/^output\.full /) as string });
    const index = await openIndex(repo, { refresh: "none" });
    expect((await index.search("first of number7")).hits[0]).toMatchObject({ name: "place7" });
    await index.close();
  }
}, 120_000);

const namespaces = spawnSync("unshare", ["--mount", "true"]).status === 0;

// A read-only mount is what stops root as well; where nobody may mount, there is no such folder to be had.
const testReadOnly = namespaces ? test : (): void => undefined;
testReadOnly("a folder that may not be written is searched from memory, and the answer says so", () => {
  const repo = makeRepo(5);
  const run = script(
    repo,
    `const answer = await index.search("first of number3");
    process.stdout.write(JSON.stringify({ notes: answer.notes, name: answer.hits[0].name, status: (await index.status()).store }));`,
  );
  const command = `mount --bind ${repo} ${repo} && mount -o remount,ro,bind ${repo} && exec ${process.execPath} ${run}`;
  const { stdout, stderr } = spawnSync("unshare", ["--mount", "bash", "-c", command], { encoding: "utf8" });
  expect(stdout, stderr).toMatch(/lives in memory only.*EROFS/);
  expect(JSON.parse(stdout)).toMatchObject({ name: "place3", status: "memory" });
});

test("odd names: spaces, newlines, Unicode, not UTF-8; circles of links; a file of 200 MB", async () => {
  const repo = makeRepo(1);
  for (const name of ["a b.py", "new\nline.py", "naïve 木.py", "-dash.py", "quote'\".py"]) {
    await writeFile(join(repo, name), functionText(9, `odd ${name.length}`));
  }
  await writeFile(
    Buffer.concat([Buffer.from(`${repo}/bad-`), Buffer.from([0xff, 0xfe]), Buffer.from(".py")]),
    "x = 1\n",
  );
  await symlink(repo, join(repo, "circle"));
  await symlink("nowhere", join(repo, "dangling.py"));
  const big = await open(join(repo, "big.py"), "w");
  await big.close();
  await truncate(join(repo, "big.py"), 200 * 2 ** 20);
  const before = process.memoryUsage().rss;
  const index = await openIndex(repo, {});
  const status = await index.status();
  expect(status.files).toBe(6);
  expect(status.skipped["too large"]).toEqual(["big.py"]);
  expect(status.skipped["unreadable"]).toHaveLength(1);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
  const found = await index.search("odd number9", { limit: 20, text: true });
  expect(found.hits.map(({ path }) => path)).toContain("new\nline.py");
  expect(found.hits.every(({ text }) => text !== undefined)).toBe(true);
  await index.close();
});

test("100,000 files: indexed, opened again without reading, and one change found", async () => {
  const repo = join(folder, "many");
  for (let d = 0; d < 100; d++) {
    await mkdir(join(repo, `d${d}`), { recursive: true });
    for (let i = 0; i < 1000; i++) writeFileSync(join(repo, `d${d}/f${i}.txt`), `note ${d} of item${i}\n`);
  }
  const index = await openIndex(repo, {});
  expect(index.lastUpdate).toMatchObject({ files: 100_000, changed: 100_000 });
  expect((await index.search("item777")).hits[0]!.path).toMatch(/f777\.txt$/);
  await index.close();
  await new Promise((resolve) => setTimeout(resolve, 2100)); // Files written just before indexing are read once more.
  await (await openIndex(repo, {})).close();
  const again = await openIndex(repo, {});
  expect(again.lastUpdate).toMatchObject({ read: 0, changed: 0 });
  await again.close();
  writeFileSync(join(repo, "d5/f5.txt"), "something else about zebras\n");
  const changed = await openIndex(repo, {});
  expect(changed.lastUpdate).toMatchObject({ read: 1, changed: 1 });
  expect((await changed.search("zebras")).hits[0]!.path).toBe("d5/f5.txt");
  await changed.close();
}, 300_000);

test("searches go on while another process indexes again and again; two writers wait for each other", async () => {
  const repo = makeRepo(60);
  await (await openIndex(repo, {})).close();
  const run = script(
    repo,
    `const { writeFileSync } = await import("node:fs");
    for (let round = 0; round < 8; round++) {
      writeFileSync(${JSON.stringify(join(repo, "src"))} + "/w" + process.pid + ".py", "def w" + round + "(x):\\n    return x\\n");
      await index.refresh("wait");
    }`,
  );
  const ended = [1, 2].map(
    () =>
      new Promise<number | null>((resolve) => {
        spawn(process.execPath, [run], { stdio: "ignore" }).on("close", resolve);
      }),
  );
  let running = true;
  const all = Promise.all(ended).finally(() => (running = false));
  const index = await openIndex(repo, { refresh: "none" });
  let answers = 0;
  while (running) {
    const { hits } = await index.search(`first of number${answers % 60}`);
    expect(hits[0]).toMatchObject({ name: `place${answers % 60}` });
    answers += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await all).toEqual([0, 0]);
  expect(answers).toBeGreaterThan(5);
  await index.refresh();
  expect((await index.status({ compare: true })).outdated).toBe(0);
  expect(existsSync(join(repo, ".lodestone/.lock"))).toBe(false);
  await index.close();
}, 120_000);

test("a file that changes while it is read is read again the next time", async () => {
  const repo = makeRepo(1);
  const index = await openIndex(repo, {});
  // The same size within the clock's grain: only the content tells.
  writeFileSync(join(repo, "src/f0.py"), functionText(0, "other"));
  await index.refresh();
  expect(index.lastUpdate).toMatchObject({ changed: 1 });
  expect((await index.search("other number0", { text: true })).hits[0]).toMatchObject({ name: "place0" });
  await index.close();
});
