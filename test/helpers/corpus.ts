import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Rng } from "../../src/base/index.js";
import type { CorpusInput } from "../../src/corpus/index.js";

/** Writes a file and the folders above it. */
export async function putFile(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** A documented JavaScript function whose body is `lines` statements drawn from `rng`. */
export function documented(name: string, summary: string, rng: Rng, lines = 12): string {
  const body = Array.from({ length: lines }, () => `  ${name}Total += step${rng.int(1e6)}(x, ${rng.int(1000)});`);
  return `/**\n * ${summary}\n * @param {number} x It.\n */\nfunction ${name}(x) {\n${body.join("\n")}\n  return x;\n}\n`;
}

/** Six packages of files that repeat each other here and there: exactly, nearly, and in their summaries. */
export async function putPackages(folder: string): Promise<CorpusInput> {
  const rng = Rng.fromSeed(3);
  const shared = Array.from({ length: 8 }, (_, i) =>
    documented(`shared${i}`, `Shares the thing number ${i}.`, rng.split("shared", i)),
  );
  for (let p = 0; p < 6; p++) {
    for (let f = 0; f < 5; f++) {
      const own = rng.split("file", p, f);
      const parts = Array.from({ length: 3 }, (_, k) =>
        documented(`own${p}${f}${k}`, `Computes value ${k} of part ${p} and ${f}.`, own),
      );
      const copy = shared[own.int(8)]!;
      parts.push(f % 2 === 0 ? copy : copy.replace("(x, ", "(x + 1, "));
      parts.push(documented(`repeated${p}${f}`, "Handles one of the many events.", own));
      await putFile(join(folder, `p${p}/f${f}.js`), parts.join("\n"));
    }
  }
  return {
    sources: Array.from({ length: 6 }, (_, p) => ({ path: join(folder, `p${p}`) })),
    split: { validation: 0.15, test: 0.15 },
    shardRecords: 20,
  };
}

/** The files below a folder with their bytes; hidden ones (locks, parts) are left out. */
export async function contentsOf(root: string): Promise<Record<string, string>> {
  const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  const paths = names
    .map((one) => join(one.parentPath, one.name).slice(root.length))
    .filter((path) => !path.includes("/."))
    .sort();
  const texts = await Promise.all(paths.map((path) => readFile(join(root, path), "latin1")));
  return Object.fromEntries(paths.map((path, i) => [path, texts[i]!]));
}
