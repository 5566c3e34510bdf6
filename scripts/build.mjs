// Compiles src/ to dist/. Runs as `prepare` after `npm ci` in a clone, and before `npm pack`.
// With --if-stale it does nothing where dist/ is newer than every source.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const inputs = ["src", "package.json", "tsconfig.json", "tsconfig.build.json"].map((name) => join(root, name));

if (process.argv.includes("--if-stale") && builtAt() > Math.max(...inputs.map(changedAt))) process.exit(0);

const tsc = findCompiler();
if (tsc === undefined) {
  console.error("build: TypeScript is not installed (a production install?), so dist/ stays as it is");
  process.exit(0);
}
// Compiled elsewhere and then swapped in: a failed build leaves the old one, and readers never see half of it.
const fresh = join(root, ".cache", `dist.${process.pid}`);
compile("tsconfig.build.json", fresh);
// The pages' scripts run in a browser: other types, other modules.
compile(join("src", "web", "client"), join(fresh, "web", "client"), "--noEmit", "false");
copyGrammars(join(fresh, "search", "chunks", "grammars"));
chmodSync(join(fresh, "cli", "main.js"), 0o755);
rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);

function compile(project, outDir, ...options) {
  const { status } = spawnSync(process.execPath, [tsc, "-p", project, "--outDir", outDir, ...options], {
    cwd: root,
    stdio: "inherit",
  });
  if (status === 0) return;
  rmSync(fresh, { recursive: true, force: true });
  process.exit(status ?? 1);
}

/**
 * Grammars that search uses beside the nine languages: their packages hold sources for every compiler (some 300 MB), of
 * which only one file each is needed. Copied with their licences; those that are not installed are left out.
 */
function copyGrammars(target) {
  const community = (name) => `@tree-sitter-grammars/tree-sitter-${name}`;
  const packages = ["cpp", "rust", "scala", "elixir", "haskell", "bash"].map((name) => `tree-sitter-${name}`);
  mkdirSync(target, { recursive: true });
  for (const name of [...packages, community("kotlin"), community("lua"), community("zig")]) {
    const folder = join(root, "node_modules", name);
    const file = `${name.split("/").at(-1)}.wasm`;
    if (!existsSync(join(folder, file))) continue;
    copyFileSync(join(folder, file), join(target, file));
    const licence = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    if (licence !== undefined) copyFileSync(join(folder, licence), join(target, `${file}.LICENSE`));
  }
}

function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve("typescript/bin/tsc");
  } catch {
    return undefined;
  }
}

/** When dist/ was compiled; 0 where there is none. */
function builtAt() {
  const main = join(dist, "cli", "main.js");
  return existsSync(main) ? statSync(main).mtimeMs : 0;
}

/** When the newest file under a path changed, tests aside; a folder's own time tells of deleted files. */
function changedAt(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  const names = readdirSync(path).filter((name) => !name.endsWith(".test.ts"));
  return Math.max(info.mtimeMs, ...names.map((name) => changedAt(join(path, name))));
}
