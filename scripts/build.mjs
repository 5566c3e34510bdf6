// Compiles src/ to dist/. Runs as `prepare` after `npm ci` in a clone, and before `npm pack`.
// With --if-stale it does nothing where dist/ is newer than every source.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
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

/** When the newest file under a path changed; a folder's own time tells of deleted files. */
function changedAt(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  return Math.max(info.mtimeMs, ...readdirSync(path).map((name) => changedAt(join(path, name))));
}
