import { SPLITS, type CorpusManifest, type Shard } from "../types.js";

/**
 * `README.md` of a corpus: a dataset card with the header that `datasets` reads its tables from (Hugging Face's
 * documentation, "Manual configuration"), and the counts in a table.
 */
export function datasetCard(manifest: CorpusManifest): string {
  const { languages, licences, splits, sources, excluded, filters = [] } = manifest;
  const rows = Object.entries(languages).map(([lang, one]) =>
    row([lang, one.files, one.functions, one.withDocstring, one.withSummary, one.documents, one.pairs]),
  );
  const parts = [
    [
      "---",
      "configs:",
      ...table("pairs", manifest.shards.pairs),
      ...table("documents", manifest.shards.documents),
      "---",
    ],
    [
      "# Source code corpus",
      "",
      "Made by `lodestone corpus build`. `pairs` holds (summary, function) pairs, `documents` whole source files. Settings,",
      "counts, licences and hashes of every file are in `manifest.json`, samples of what each rule dropped in `dropped.json`.",
    ],
    [
      row(["language", "files", "functions", "with docs", "with summary", "documents", "pairs"]),
      "|---|---:|---:|---:|---:|---:|---:|",
      ...rows,
    ],
    [
      row(["split", "documents", "pairs"]),
      "|---|---:|---:|",
      ...SPLITS.map((split) => row([split, splits[split].documents, splits[split].pairs])),
    ],
    [
      "## Licences",
      "",
      row(["SPDX expression", "documents", "pairs"]),
      "|---|---:|---:|",
      ...Object.entries(licences).map(([name, { documents, pairs }]) => row([name, documents, pairs])),
    ],
    [
      "## Sources",
      "",
      row(["origin", "version", "files"]),
      "|---|---|---:|",
      ...sources.map(({ origin, version, items }) => row([origin, version, items])),
    ],
    excluded.length === 0
      ? []
      : [
          "## Removed as part of evaluation sets",
          "",
          row(["set", "functions that match", "pairs removed", "documents removed"]),
          "|---|---:|---:|---:|",
          ...excluded.map(({ set, functions, pairs, documents }) => row([set, functions, pairs, documents])),
        ],
    ...filters.map(({ pool, top, languages: counts }) => [
      "## Filtered for consistency",
      "",
      `Training pairs whose code an encoder ranked in the first ${top} for their summary, among about ${pool} of their language.`,
      "",
      row(["language", "training pairs", "kept"]),
      "|---|---:|---:|",
      ...Object.entries(counts).map(([lang, { pairs, kept }]) => row([lang, pairs, kept])),
    ]),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function table(name: string, shards: readonly Shard[]): string[] {
  const present = SPLITS.filter((split) => shards.some((shard) => shard.split === split));
  if (present.length === 0) return [];
  const files = present.flatMap((split) => [`      - split: ${split}`, `        path: ${name}/${split}-*.parquet`]);
  return [`  - config_name: ${name}`, "    data_files:", ...files];
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
