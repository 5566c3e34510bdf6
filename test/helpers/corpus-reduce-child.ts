import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Rng } from "../../src/base/index.js";
import { corpusSchema } from "../../src/corpus/config.js";
import type { Examined, PairRecord, RecordIndex } from "../../src/corpus/pipeline/_batch.js";
import { hashSequence, hashText } from "../../src/corpus/pipeline/_hash.js";
import { signatureOf } from "../../src/corpus/pipeline/_minhash.js";
import { encodePart } from "../../src/corpus/pipeline/_part.js";
import { PartSet } from "../../src/corpus/pipeline/_part-set.js";
import { reduceParts } from "../../src/corpus/pipeline/_reduce.js";

// Reduces synthetic parts: `corpus-reduce-child.ts FOLDER RECORDS`. A tenth of the records repeat another one, a tenth
// nearly repeat one. Prints what was kept, the seconds of the reduction and the peak of this process's memory.
const [folder, count] = [process.argv[2]!, Number(process.argv[3])];
const PER_PART = 20_000;
const rng = Rng.fromSeed(1);
mkdirSync(folder, { recursive: true });

function tokensOf(record: number): Uint32Array {
  const kind = record % 10;
  const family = kind === 1 || kind === 2 ? record - kind : record;
  const draws = rng.split("tokens", family);
  const tokens = Uint32Array.from({ length: 60 }, () => draws.int(2 ** 31));
  if (kind === 2) tokens[59] = record; // One of 56 shingles is another: Jaccard 55 / 57.
  return tokens;
}

function recordOf(record: number): { index: RecordIndex; record: PairRecord } {
  const tokens = tokensOf(record);
  const id = `id${record}`;
  const origin = record % 50;
  return {
    index: {
      exact: hashSequence(tokens),
      rank: hashText(id),
      summary: hashText(`summary ${record % 400_000}`),
      lang: "python",
      draw: hashText(`draw ${record}`).hi,
      origin,
      document: -1,
      signature: signatureOf(tokens),
    },
    record: {
      id,
      lang: "python",
      summary: `summary ${record % 400_000}`,
      docstring: "",
      signature: "",
      name: id,
      kind: "function",
      code: `def ${id}(): pass`,
      body: "pass",
      origin: `o${origin}`,
      version: "",
      path: id,
      licence: "MIT",
      startLine: 1,
      endLine: 1,
    },
  };
}

const paths: string[] = [];
for (let first = 0; first < count; first += PER_PART) {
  const examined: Examined = {
    source: 0,
    number: paths.length,
    items: 1,
    bytes: 1,
    languages: {},
    skippedFiles: {},
    skipped: [],
    failures: 0,
    excluded: {},
    origins: Array.from({ length: 50 }, (_, i) => `o${i}`),
    pairs: Array.from({ length: Math.min(PER_PART, count - first) }, (_, i) => recordOf(first + i)),
    documents: [],
    samples: [],
  };
  paths.push(join(folder, `${paths.length}.part`));
  writeFileSync(paths.at(-1)!, encodePart(examined));
}
const config = corpusSchema.parse({ sources: [{ path: "x" }], split: { validation: 0.03, test: 0.03 } });
const source = { origin: "o", version: "", fingerprint: "f", required: true };
const before = performance.now();
const out = join(folder, "out");
const reduction = { config, out, scratch: join(folder, "scratch"), sets: [], inputs: "" };
const events = reduceParts(new PartSet([source], paths), reduction);
let step = await events.next();
while (step.done !== true) step = await events.next();
const { pairs, languages } = step.value.manifest;
const seconds = (performance.now() - before) / 1000;
const megabytes = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ pairs, dropped: languages.python!.dropped, seconds, megabytes })}\n`);
