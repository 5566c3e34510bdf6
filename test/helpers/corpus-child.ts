import { buildCorpus, type CorpusInput } from "../../src/corpus/index.js";

// Builds a corpus in a process of its own: `corpus-child.ts INPUT.json OUT WORKERS`. Prints each event's kind.
const [input, out, workers] = process.argv.slice(2);
const options = { workers: Number(workers), batchBytes: 3_000 };
for await (const { kind } of buildCorpus(JSON.parse(input!) as CorpusInput, out!, options)) {
  if (kind !== "progress") process.stdout.write(`${JSON.stringify(kind)}\n`);
}
