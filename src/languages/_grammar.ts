import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Language as Grammar, Parser } from "web-tree-sitter";
import { messageOf, UserError } from "../base/index.js";
import { useExports } from "./_cursor.js";

const require = createRequire(import.meta.url);
let runtime: Promise<void> | undefined;
const grammars = new Map<string, Promise<Parser>>();

/**
 * A parser for the grammar at `wasm` (`tree-sitter-go/tree-sitter-go.wasm`), loaded once a process. The file is found
 * the way Node finds packages, so that a clone, `dist/` and an installed tarball all work.
 *
 * @throws UserError `languages.grammar`
 */
export function loadGrammar(wasm: string): Promise<Parser> {
  const known = grammars.get(wasm);
  if (known !== undefined) return known;
  const loading = load(wasm);
  grammars.set(wasm, loading);
  loading.catch(() => grammars.delete(wasm)); // A later call may try again.
  return loading;
}

async function load(wasm: string): Promise<Parser> {
  try {
    runtime ??= start();
    await runtime;
    const parser = new Parser();
    parser.setLanguage(await Grammar.load(await readFile(require.resolve(wasm))));
    return parser;
  } catch (error) {
    throw new UserError("languages.grammar", `${wasm}: expected a readable grammar, got ${messageOf(error)}`, {
      fix: "Install the dependencies again (npm ci)",
      cause: error,
    });
  }
}

async function start(): Promise<void> {
  const module = { locateFile: () => require.resolve("web-tree-sitter/web-tree-sitter.wasm") };
  await Parser.init(module);
  useExports(module);
}
