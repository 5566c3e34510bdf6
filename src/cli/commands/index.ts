import type { Command } from "../command.js";

/** A line of `lodestone --help`; the code is loaded when the command is called, so that each starts fast. */
export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "quickstart",
    description: "Train and evaluate a small encoder on packages that npm installed",
    load: async () => (await import("../quickstart/command.js")).quickstart,
  },
  {
    name: "corpus build",
    description: "Folders of source code in, documents and (summary, function) pairs out",
    load: async () => (await import("./corpus-build.js")).corpusBuild,
  },
  {
    name: "corpus merge",
    description: "The shards of one corpus build in, one corpus out",
    load: async () => (await import("./corpus-merge.js")).corpusMerge,
  },
  {
    name: "corpus fetch",
    description: "Download what a recipe names: packages of npm and Debian, git repositories",
    load: async () => (await import("./corpus-fetch.js")).corpusFetch,
  },
  {
    name: "corpus stats",
    description: "Measure a corpus, as a page and as JSON",
    load: async () => (await import("./corpus-stats.js")).corpusStatsCommand,
  },
  {
    name: "corpus sample",
    description: "Show random pairs of a corpus",
    load: async () => (await import("./corpus-sample.js")).corpusSample,
  },
  {
    name: "corpus audit",
    description: "Draw pairs to judge by eye, and sum up the verdicts",
    load: async () => (await import("./corpus-audit.js")).corpusAudit,
  },
  {
    name: "corpus filter",
    description: "Keep the pairs whose function an earlier encoder finds by its summary",
    load: async () => (await import("./corpus-filter.js")).corpusFilter,
  },
  {
    name: "corpus mine",
    description: "Find hard negatives of a corpus's pairs by an earlier encoder",
    load: async () => (await import("./corpus-mine.js")).corpusMine,
  },
  {
    name: "tokenizer train",
    description: "Train a byte-level BPE vocabulary on a corpus",
    load: async () => (await import("./tokenizer-train.js")).tokenizerTrain,
  },
  {
    name: "pretrain stage1",
    description: "Masking and deobfuscation on whole files",
    load: async () => (await import("./pretrain-stage1.js")).pretrainStage1,
  },
  {
    name: "pretrain stage2",
    description: "Contrastive learning on (summary, function) pairs",
    load: async () => (await import("./pretrain-stage2.js")).pretrainStage2,
  },
  {
    name: "pretrain pack",
    description: "A training run as one folder that needs only Python and torch",
    load: async () => (await import("./pretrain-pack.js")).pretrainPack,
  },
  {
    name: "pretrain unpack",
    description: "A packed run back into a run folder",
    load: async () => (await import("./pretrain-unpack.js")).pretrainUnpack,
  },
  {
    name: "monitor",
    description: "Live curves of training runs on a local page",
    load: async () => (await import("./monitor.js")).monitor,
  },
  {
    name: "embed",
    description: "Texts in, vectors out",
    load: async () => (await import("./embed.js")).embed,
  },
  {
    name: "export",
    description: "An encoder in a smaller form",
    load: async () => (await import("./export.js")).exportModel,
  },
  {
    name: "evaluate",
    description: "Score an encoder on an evaluation set",
    load: async () => (await import("./evaluate.js")).evaluate,
  },
  {
    name: "search",
    description: "Find places in a folder by what they do or how they are called",
    load: async () => (await import("./search.js")).search,
  },
  {
    name: "index",
    description: "Index a folder for search",
    load: async () => (await import("./index-folder.js")).indexFolder,
  },
  {
    name: "related",
    description: "Find what is like the code at FILE:LINE",
    load: async () => (await import("./related.js")).related,
  },
  {
    name: "similar",
    description: "Find what is like some code",
    load: async () => (await import("./similar.js")).similar,
  },
  {
    name: "duplicates",
    description: "Find copies in a folder",
    load: async () => (await import("./duplicates.js")).duplicates,
  },
  {
    name: "status",
    description: "Tell what the index of a folder holds",
    load: async () => (await import("./status.js")).status,
  },
  {
    name: "serve",
    description: "Embeddings and search over HTTP, and a page to search from",
    load: async () => (await import("./serve.js")).serve,
  },
  {
    name: "mcp",
    description: "Search as tools of coding agents and editors (Model Context Protocol)",
    load: async () => (await import("./mcp.js")).mcp,
  },
  {
    name: "engine torch",
    description: "The PyTorch that the torch engine uses; installs it",
    load: async () => (await import("./engine-torch.js")).engineTorch,
  },
  {
    name: "doctor",
    description: "What of this machine can be used, and what to do about the rest",
    load: async () => (await import("./doctor.js")).doctor,
  },
  {
    name: "obfuscate",
    description: "Replace the names that a source file defines, as stage 1 does",
    load: async () => (await import("./obfuscate.js")).obfuscate,
  },
  {
    name: "predict",
    description: "Fill masks and guess names with the head that stage 1 trained",
    load: async () => (await import("./predict.js")).predict,
  },
];
