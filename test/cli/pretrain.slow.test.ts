import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { sha256File } from "../../src/base/index.js";
import { trainTokenizer } from "../../src/tokenizer/index.js";
import {
  expectComplaint,
  lodestone,
  lodestoneUnder,
  temporaryFolder,
  type Ran,
  type RunOptions,
} from "../helpers/cli.js";
import { testWithNamespaces } from "../helpers/requires.js";
import { TEXTS } from "../helpers/texts.js";

let folder: string;
let corpus: string;
let tokenizer: string;
const place = (name: string): string => join(folder, name);

/** 20 steps of a model that trains in a moment, a checkpoint every fourth. */
const CONFIG = {
  size: "nano",
  model: { layers: 1, heads: 2, width: 32, maxLength: 64 },
  training: { steps: 20, batch: 4, length: 64, checkpoints: { everySteps: 4, keep: 2 } },
};
const CONFIG2 = {
  training: { steps: 12, batch: 4, textLength: 32, codeLength: 64, checkpoints: { everySteps: 4, keep: 2 } },
};

beforeAll(async () => {
  folder = await temporaryFolder("pretrain");
  const source = place("source");
  await mkdir(source);
  const nouns = ["user", "session", "server", "request", "queue", "token", "file", "path", "score", "vector"];
  for (const [i, noun] of nouns.entries()) {
    const functions = nouns.map((other, j) => {
      const name = `${noun}By${other}`;
      return `/** Finds the first ${noun} that belongs to the given ${other} number ${j}. */\nfunction ${name}(${noun}s, ${other}) {\n  for (const one of ${noun}s) {\n    if (one.${other} === ${other} + ${i * j}) return one;\n  }\n  throw new Error("no ${noun}");\n}\n`;
    });
    await writeFile(join(source, `${noun}.js`), functions.join("\n"));
  }
  corpus = place("corpus");
  tokenizer = place("tokenizer");
  await writeFile(place("stage1.json"), JSON.stringify(CONFIG));
  await writeFile(place("stage2.json"), JSON.stringify(CONFIG2));
  expect(await lodestone(["corpus", "build", source, "--out", corpus])).toMatchObject({ code: 0 });
  const size = ["--vocab-size", "400"];
  expect(await lodestone(["tokenizer", "train", corpus, "--out", tokenizer, ...size])).toMatchObject({ code: 0 });
  const whole = await stage1("whole");
  expect(whole, whole.stderr).toMatchObject({ code: 0, stdout: `${place("whole/model")}\n` });
});

function stage1Args(out: string, config = "stage1.json"): string[] {
  const threads = ["--threads", "1"];
  return [
    "pretrain",
    "stage1",
    corpus,
    "--tokenizer",
    tokenizer,
    "--out",
    place(out),
    "--config",
    place(config),
    ...threads,
  ];
}

function stage1(out: string, options: RunOptions = {}, config?: string): Promise<Ran> {
  return lodestone(stage1Args(out, config), options);
}

function stage2(out: string, from: string): Promise<Ran> {
  const names = ["--tokenizer", tokenizer, "--from", from, "--out", place(out), "--config", place("stage2.json")];
  return lodestone(["pretrain", "stage2", corpus, ...names, "--threads", "1"]);
}

async function variantOf(name: string, config: object): Promise<void> {
  await writeFile(place(name), JSON.stringify(config));
}

async function firstStep(run: string): Promise<{ loss: number; tokens: number }> {
  const [line] = (await readFile(join(place(run), "metrics.jsonl"), "utf8")).split("\n", 1);
  return JSON.parse(line!) as { loss: number; tokens: number };
}

async function variant(name: string, change: Record<string, unknown>): Promise<string> {
  await variantOf(name, { ...CONFIG, ...change });
  return name;
}

function checkpoints(run: string): Promise<string[]> {
  return readdir(join(run, "checkpoints")).catch(() => []);
}

function finalState(run: string, step = 20): Promise<string> {
  return sha256File(join(run, "checkpoints", `step-${String(step).padStart(8, "0")}`, "state.safetensors"));
}

test("both stages end with a model folder that embeds", async () => {
  const run = await stage2("second", place("whole"));
  expect(run, run.stderr).toMatchObject({ code: 0, stdout: `${place("second/model")}\n` });
  const { stdout } = await lodestone(["embed", "--model", place("second/model")], { input: "a user" });
  expect((JSON.parse(stdout) as number[]).length).toBe(32);
  const hit = await lodestone([
    "search",
    "user",
    place("source"),
    "--model",
    place("second/model"),
    "--json",
    "-n",
    "2",
  ]);
  expect(JSON.parse(hit.stdout)).toHaveLength(2);
  // The same start from a model folder; the run itself can be exported at any time.
  const exported = await lodestone(
    ["export", "--run", place("whole"), "--tokenizer", tokenizer].concat(["--out", place("exported")]),
  );
  expect(exported, exported.stderr).toMatchObject({ code: 0, stdout: `${place("exported")}\n` });
  expect(await sha256File(place("exported/model.safetensors"))).toBe(
    await sha256File(place("whole/model/model.safetensors")),
  );
  const third = await stage2("third", place("exported"));
  expect(third, third.stderr).toMatchObject({ code: 0 });
  expect(await sha256File(place("third/model/model.safetensors"))).toBe(
    await sha256File(place("second/model/model.safetensors")),
  );
  // The weights of stage 1 were where stage 2 began: from scratch it ends elsewhere.
  const scratch = await lodestone(
    ["pretrain", "stage2", corpus, "--tokenizer", tokenizer, "--out", place("scratch")].concat([
      "--config",
      place(await variant("scratch.json", { training: CONFIG2.training })),
      "--threads",
      "1",
    ]),
  );
  expect(scratch, scratch.stderr).toMatchObject({ code: 0 });
  expect(await sha256File(place("scratch/model/model.safetensors"))).not.toBe(
    await sha256File(place("second/model/model.safetensors")),
  );
});

test("stage 1 goes on from an encoder's weights with the same batches", async () => {
  await variantOf("on.json", { training: { ...CONFIG.training, steps: 2 } });
  const args = ["pretrain", "stage1", corpus, "--tokenizer", tokenizer, "--out", place("on"), "--threads", "1"];
  const from = ["--from", place("whole/model"), "--config"];
  const run = await lodestone([...args, ...from, place("on.json")]);
  expect(run, run.stderr).toMatchObject({ code: 0, stdout: `${place("on/model")}\n` });
  const [began, fresh] = [await firstStep("on"), await firstStep("whole")];
  expect(began.tokens).toBe(fresh.tokens);
  expect(began.loss).toBeLessThan(fresh.loss);
  expectComplaint(await lodestone([...args, ...from, place("stage1.json")]), /expected --from or a size, got both/);
});

test("stopped by Ctrl-C and started again, it ends as if it had not been stopped", async () => {
  // Long enough that the signal arrives in the middle on a busy machine.
  const config = await variant("long.json", { training: { ...CONFIG.training, steps: 150 } });
  expect(await stage1("long", {}, config)).toMatchObject({ code: 0 });
  let sent = false;
  const watch: RunOptions = {
    onStderr: (text, kill) => {
      if (!sent && text.includes("stage1 ")) kill("SIGINT");
      sent ||= text.includes("stage1 ");
    },
  };
  const first = await stage1("stopped", watch, config);
  expect(first.code).toBe(130);
  expect(first.stderr).toMatch(/stopped at step \d+; the same command goes on from there/);
  expect((await checkpoints(place("stopped"))).length).toBeGreaterThan(0);
  const second = await stage1("stopped", {}, config);
  expect(second, second.stderr).toMatchObject({ code: 0 });
  expect(second.stderr).toMatch(/going on from step \d+/);
  expect(await finalState(place("stopped"), 150)).toBe(await finalState(place("long"), 150));
});

describe("bad input", () => {
  test("unknown keys, at every level of the config", async () => {
    const wrong: [string, Record<string, unknown>, RegExp][] = [
      ["a.json", { trainning: {} }, /a\.json: .*trainning.*Known keys: size, model, training/],
      ["b.json", { training: { ...CONFIG.training, lenght: 3 } }, /lenght/],
      ["c.json", { model: { ...CONFIG.model, layer: 3 } }, /model config \(nano\): .*layer/],
      ["d.json", { size: "huge" }, /d\.json: size: /],
      [
        "e.json",
        { training: { ...CONFIG.training, length: 65 } },
        /length: expected at most the model's maxLength 64, got 65/,
      ],
      ["f.json", { training: {} }, /expected the number of steps, got none/],
    ];
    for (const [name, change, pattern] of wrong) {
      expectComplaint(await stage1("never", {}, await variant(name, change)), pattern);
    }
    expect(await readdir(folder)).not.toContain("never");
  });

  test("a corpus, tokenizer or run that is not there", async () => {
    const out = ["--out", place("never"), "--steps", "1"];
    const train = (data: string, tok: string, ...more: string[]): Promise<Ran> =>
      lodestone(["pretrain", "stage2", data, "--tokenizer", tok, ...out, ...more]);
    expectComplaint(await train(place("no-corpus"), tokenizer), /no-corpus: expected a complete corpus/);
    expectComplaint(await train(corpus, place("no-tokenizer")), /no-tokenizer.*: expected a tokenizer, got ENOENT/);
    expectComplaint(await train(corpus, tokenizer, "--from", place("no-run")), /no-run: expected a checkpoint folder/);
  });

  test("a checkpoint of another tokenizer, or of another shape", async () => {
    const other = place("other-tokenizer");
    await (await trainTokenizer(TEXTS, { vocabSize: 400 })).save(other);
    const mixed = await lodestone(
      ["pretrain", "stage2", corpus, "--tokenizer", other, "--from", place("whole")].concat([
        "--out",
        place("never"),
        "--steps",
        "1",
      ]),
    );
    expectComplaint(mixed, /expected its own tokenizer [0-9a-f]{12}, got [0-9a-f]{12}/);
    await writeFile(place("wide.json"), JSON.stringify({ model: { width: 64 }, training: CONFIG2.training }));
    const reshaped = await lodestone(
      ["pretrain", "stage2", corpus, "--tokenizer", tokenizer, "--from", place("whole")].concat([
        "--out",
        place("never-wide"),
        "--config",
        place("wide.json"),
      ]),
    );
    expectComplaint(reshaped, /initial weights: expected wte\.weight float32 \[400, 64\], got float32 \[400, 32\]/);
  });

  test("a damaged checkpoint: the one before is used; with none left it says so", async () => {
    const run = place("damaged");
    await cp(place("whole"), run, { recursive: true });
    const names = (await checkpoints(run)).sort();
    const damage = async (name: string): Promise<void> => {
      const path = join(run, "checkpoints", name, "state.safetensors");
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(path, bytes);
    };
    await damage(names.at(-1)!);
    const again = await stage1("damaged");
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(again.stderr).toMatch(/warning: .*expected an intact checkpoint.*SHA-256/);
    expect(await finalState(run)).toBe(await finalState(place("whole")));
    for (const name of await checkpoints(run)) if (!name.endsWith(".damaged")) await damage(name);
    expectComplaint(await stage1("damaged"), /expected an intact checkpoint/);
  });

  test("other settings in a folder with another run's checkpoints", async () => {
    const config = await variant("reseeded.json", { training: { ...CONFIG.training, seed: 5 } });
    expectComplaint(await stage1("whole", {}, config), /expected .*training\.seed 0 as in the checkpoint, got 5/);
  });

  test("a loss that is not finite: the step is named, the last good checkpoint stays", async () => {
    const optimizer = { learningRate: 1e30, clip: null };
    const training = { ...CONFIG.training, optimizer, checkpoints: { everySteps: 1 } };
    const result = await stage1("diverged", {}, await variant("diverge.json", { training }));
    expectComplaint(result, /stage1: step \d+: expected a finite (loss|grad_norm), got (NaN|Infinity)/);
    const last = /the last good checkpoint is (\S+)/.exec(result.stderr)![1]!;
    expect((await checkpoints(place("diverged"))).sort().at(-1)).toBe(basename(last));
    expect(await readdir(place("diverged"))).not.toContain("model");
  });

  test("a second process in the same folder", async () => {
    let second: Promise<Ran> | undefined;
    const first = await stage1("shared", {
      onStderr: (text) => {
        if (text.includes("stage1 ")) second ??= stage1("shared");
      },
    });
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const late = await second!;
    // It may come after the first has ended: then it finds the work done.
    if (late.code !== 0)
      expectComplaint(late, /shared: expected a folder of its own, but process \d+ is writing there/);
    expect(await finalState(place("shared"))).toBe(await finalState(place("whole")));
  });

  testWithNamespaces("a read-only output folder", async () => {
    const out = place("read-only");
    await mkdir(out);
    const script = `mount --bind '${out}' '${out}'\nmount -o remount,ro,bind '${out}'`;
    expectComplaint(await lodestoneUnder(script, stage1Args("read-only")), /expected a writable place, got EROFS/);
  });

  testWithNamespaces(
    "a disk that fills up: the checkpoint before stays, and the run ends well with more room",
    async () => {
      const disk = place("disk");
      await mkdir(disk);
      const one = await readFile(join(place("whole"), "checkpoints", "step-00000020", "state.safetensors"));
      const room = Math.ceil((2.5 * one.length) / 1024);
      const script = [
        `mount -t tmpfs -o size=${room}k none '${disk}'`,
        `trap 'cp -r ${disk} ${folder}/after' EXIT`,
        `"$@" && exit 0 || exit $?`,
      ].join("\n");
      expectComplaint(
        await lodestoneUnder(script, stage1Args("disk")),
        /expected room to write, got ENOSPC.*Free some/,
      );
      const kept = (await checkpoints(place("after"))).sort();
      expect(kept).toEqual(["step-00000004", "step-00000008"]);
      const again = await stage1("after");
      expect(again, again.stderr).toMatchObject({ code: 0 });
      expect(again.stderr).toContain("going on from step 8");
      expect(await finalState(place("after"))).toBe(await finalState(place("whole")));
    },
  );
});
