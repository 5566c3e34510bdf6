import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Parser } from "web-tree-sitter";
import { messageOf } from "../../src/base/index.js";

/** The runtime that reads the grammars of our `package.json` (their ABI is 15). */
export const NATIVE_VERSION = "0.25.1";

/** A cursor of the native bindings, as far as a walk needs it. */
interface NativeCursor {
  readonly nodeTypeId: number;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly currentFieldId: number;
  readonly nodeIsMissing: boolean;
  readonly currentNode: NativeNode;
  gotoFirstChild(): boolean;
  gotoNextSibling(): boolean;
  gotoParent(): boolean;
}
interface NativeNode {
  readonly hasError: boolean;
  readonly startIndex: number;
  descendantsOfType(types: readonly string[]): NativeNode[];
}
interface NativeTree {
  readonly rootNode: NativeNode;
  walk(): NativeCursor;
}
interface NativeParser {
  setLanguage(language: unknown): void;
  parse(input: string, old: null, options: { bufferSize: number }): NativeTree;
}

/** The bindings, or why they cannot be had here. */
export type Native =
  | {
      readonly kind: "ready";
      readonly create: () => NativeParser;
      /** How the add-on came: `prebuilt`, or `compiled` where the prebuilt one does not load. */
      readonly origin: "prebuilt" | "compiled";
      /** What the prebuilt one said. */
      readonly note: string | undefined;
    }
  | { readonly kind: "missing"; readonly note: string };

/**
 * Installs the npm package `tree-sitter` into the user's cache, once, and loads it: its prebuilt add-on, or one compiled
 * here where that does not load. The grammars' own prebuilt add-ons are in our `node_modules`.
 */
export async function loadNative(log: (line: string) => void): Promise<Native> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "lodestone", `native-tree-sitter-${NATIVE_VERSION}`);
  await mkdir(folder, { recursive: true });
  if (!existsSync(join(folder, "node_modules", "tree-sitter"))) {
    log(`corpus: installing tree-sitter ${NATIVE_VERSION} for comparison`);
    await writeFile(join(folder, "package.json"), "{}");
    const install = npm(
      folder,
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      `tree-sitter@${NATIVE_VERSION}`,
    );
    if (install !== undefined) return { kind: "missing", note: install };
  }
  const first = load(folder);
  const isCompiled = existsSync(join(folder, "node_modules", "tree-sitter", "build", "Release"));
  if (typeof first !== "string")
    return { kind: "ready", create: first, origin: isCompiled ? "compiled" : "prebuilt", note: undefined };
  log(`corpus: the prebuilt add-on does not load (${first}); compiling it`);
  const rebuild = npm(folder, "rebuild", "tree-sitter");
  if (rebuild !== undefined) return { kind: "missing", note: `${first}; and it does not compile: ${rebuild}` };
  // A process that failed to load an add-on may not try again under the same name; a compiled one has another.
  const second = load(folder);
  if (typeof second === "string") return { kind: "missing", note: second };
  return { kind: "ready", create: second, origin: "compiled", note: first };
}

function npm(folder: string, ...args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
  if (status === 0) return undefined;
  const lines = (error?.message ?? stderr).trim().split("\n");
  return lines.findLast((line) => /error/i.test(line)) ?? `npm ${args[0]} failed`;
}

function load(folder: string): (() => NativeParser) | string {
  try {
    const Native = createRequire(join(folder, "package.json"))("tree-sitter") as new () => NativeParser;
    return () => new Native();
  } catch (error) {
    return messageOf(error).split("\n")[0]!;
  }
}

/**
 * A native parser of the grammar that `wasm` holds (`tree-sitter-go/tree-sitter-go.wasm`), in the shape of a
 * web-tree-sitter parser, so that the same code walks both trees. `twin` is that parser: names of symbols and fields are
 * the same, as both are made of one source.
 */
export async function nativeTwin(create: () => NativeParser, wasm: string, twin: Parser): Promise<Parser> {
  const [name = "", file = ""] = wasm.split("/");
  const loaded = (await import(name)) as { default: Record<string, unknown> };
  const key = /^tree-sitter-(.*)\.wasm$/.exec(file)?.[1] ?? "";
  const parser = create();
  parser.setLanguage(loaded.default[key] ?? loaded.default);
  const shaped = {
    language: twin.language,
    parse(text: string) {
      // The default buffer of 32 kB refuses longer texts.
      const tree = parser.parse(text, null, { bufferSize: 2 * text.length + 2 });
      return {
        rootNode: tree.rootNode,
        walk: () => Object.assign(tree.walk(), { delete: () => undefined }),
        delete: () => undefined,
      };
    },
  };
  return shaped as unknown as Parser;
}
