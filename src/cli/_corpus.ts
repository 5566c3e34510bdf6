import { UserError } from "../base/index.js";
import type { CorpusEvent } from "../corpus/index.js";
import type { Context } from "./command.js";
import { table, thousands } from "./terminal.js";

/** Prints a finished corpus's counts. @throws UserError `corpus.incomplete` where a required source was not whole */
export async function reportCorpus(
  { manifest, reused, incomplete }: Extract<CorpusEvent, { kind: "done" }>,
  out: string,
  { say, print }: Pick<Context, "say" | "print">,
): Promise<void> {
  if (reused) say(`${out} holds this corpus already`);
  const rows = Object.entries(manifest.languages).map(([lang, { files, functions, withDocstring, pairs }]) => {
    return [lang, ...[files, functions, withDocstring, pairs].map(thousands)];
  });
  await print(`${table([["language", "files", "functions", "with docs", "pairs"], ...rows])}\n`);
  requireWhole(incomplete);
}

/** @throws UserError `corpus.incomplete` */
export function requireWhole(incomplete: readonly string[]): void {
  if (incomplete.length === 0) return;
  throw new UserError(
    "corpus.incomplete",
    `corpus: expected all required sources to be whole, got failures in ${incomplete.join(", ")}`,
    {
      fix: "What could be read is written. Mend what the manifest names and run again, or say required: false of these",
    },
  );
}
