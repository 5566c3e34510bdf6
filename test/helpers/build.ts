import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/**
 * Tests of the command line run what is compiled, and so do the processes that tests start (`runChild`): brings both up to
 * date once, before the slow tests.
 */
export default function setup(): void {
  compileChildren();
  const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
  const { status } = spawnSync(process.execPath, [script, "--if-stale"], { stdio: "inherit" });
  if (status === 0) return;
  const message = "dist/ could not be compiled";
  if (process.env["CI"] === "true") throw new Error(message);
  console.error(`${message}: tests of the command line use what was there before`);
}

/**
 * The helpers that run in processes of their own, compiled once instead of in each process, file by file and unchecked
 * (`typecheck` looks at them): `.cache/children/test/helpers/x.js`, with dist/ in the place of src/.
 */
function compileChildren(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const target = join(root, ".cache", "children");
  const helpers = readdirSync(join(root, "test", "helpers")).filter((name) => name.endsWith(".ts"));
  for (const path of ["bench/peers.ts", ...helpers.map((name) => join("test", "helpers", name))]) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, path), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
    });
    const output = join(target, path.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(`${output}.${process.pid}`, outputText); // Another vitest may be reading it.
    renameSync(`${output}.${process.pid}`, output);
  }
  link(join(root, "dist"), join(target, "src"));
  link(join(root, "bench", "peers"), join(target, "bench", "peers"));
}

function link(to: string, from: string): void {
  if (lstatSync(from, { throwIfNoEntry: false }) === undefined) symlinkSync(to, from);
}
