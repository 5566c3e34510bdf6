import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { builtinModules } from "node:module";
import ts from "typescript";
import { expect, test } from "vitest";
import { root } from "./helpers/cli.js";

interface LockedPackage {
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const manifest = readJson("package.json") as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
};
const { packages } = readJson("package-lock.json") as { packages: Record<string, LockedPackage> };

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

function sources(): string[] {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/(?:\.test|contract)\.ts$/.test(path)) // What tsconfig.build.json leaves out.
    .map((path) => join(root, "src", path));
}

test("the lock file names no registry's address", () => {
  const named = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined);
  expect(named).toEqual([]);
});

test("no dependency may run an install script: each that has one is denied, and CUDA is told to stay away", () => {
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
  expect(Object.keys(manifest.allowScripts).sort()).toEqual([...new Set(scripted)].sort());
  expect(Object.values(manifest.allowScripts)).not.toContain(true);
  // npm 10 does not know allowScripts. The grammars' scripts find their prebuilt files and end; this one would download.
  expect(readFileSync(join(root, ".npmrc"), "utf8")).toMatch(/^onnxruntime-node-install=skip$/m);
});

test("whatever src/ imports is installed with the package, at an exact version", () => {
  const builtin = new Set(builtinModules);
  const imported = new Set<string>();
  for (const path of sources()) {
    for (const { fileName } of ts.preProcessFile(readFileSync(path, "utf8")).importedFiles) {
      if (fileName.startsWith(".") || fileName.startsWith("node:") || builtin.has(fileName)) continue;
      const [first, second] = fileName.split("/");
      imported.add(fileName.startsWith("@") ? `${first}/${second}` : first!);
    }
  }
  // A source checkout starts its workers through tsx; the package has them compiled.
  imported.delete("tsx");
  expect([...imported].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  for (const range of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(range).toMatch(/^\d+\.\d+\.\d+/);
  }
});
