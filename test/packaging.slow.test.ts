import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { root, run, temporaryFolder } from "./helpers/cli.js";
import { writeModel } from "./helpers/model.js";
import { testWithNamespaces } from "./helpers/requires.js";

let project: string;
let packed: string[];

/**
 * Lays the packed tarball and the dependencies that are installed with it into an empty folder, as `npm i` would, but
 * from this checkout: tests reach no registry. `.ci/run` does the same with npm itself.
 */
beforeAll(async () => {
  const folder = await temporaryFolder("package");
  const pack = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]);
  expect(pack.code, pack.stderr).toBe(0);
  const [{ filename, files }] = JSON.parse(pack.stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);

  project = join(folder, "empty");
  const modules = join(project, "node_modules");
  await mkdir(join(modules, "lodestone"), { recursive: true });
  await writeFile(join(project, "package.json"), "{}\n");
  await run("tar", ["-xzf", join(folder, filename), "-C", join(modules, "lodestone"), "--strip-components=1"]);
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  for (const [path, { dev, optional }] of Object.entries(lock.packages)) {
    const nested = path.slice(1).includes("node_modules/");
    if (path === "" || dev === true || nested) continue;
    await mkdir(dirname(join(project, path)), { recursive: true });
    // Copies, not links: a link would find the development dependencies beside its target.
    const copied = await run("cp", ["-al", join(root, path), join(project, path)]);
    if (copied.code === 0 || optional === true) continue; // Another platform's optional package is not there.
    await cp(join(root, path), join(project, path), { recursive: true });
  }
  await mkdir(join(modules, ".bin"));
  await symlink("../lodestone/dist/cli/main.js", join(modules, ".bin", "lodestone"));
});

test("the tarball holds the compiled package, its licence and its readme, and no tests or sources", () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      "dist/cli/main.js",
      "dist/index.js",
      "dist/index.d.ts",
      "LICENSE",
      "README.md",
      "models/static/model.safetensors",
    ]),
  );
  expect(packed.filter((path) => /\.test\.|(?<!\.d)\.ts$|fixtures/.test(path))).toEqual([]);
});

testWithNamespaces("without network and development tools the installed package runs", async () => {
  const offline = (...args: string[]): ReturnType<typeof run> =>
    run("unshare", ["--net", "npx", "--no-install", "lodestone", ...args], { cwd: project });
  const help = await offline("--help");
  expect(help, help.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("quickstart") as string });
  await writeFile(join(project, "a.go"), "package a\n\nfunc Add(left int, right int) int { return left + right }\n");
  const { code, stdout } = await offline("obfuscate", "a.go");
  expect(code).toBe(0);
  expect(stdout).toContain("func f_0(v_0 int, v_1 int) int { return v_0 + v_1 }");
});

testWithNamespaces("without network it embeds with a model folder", async () => {
  await writeModel(join(project, "model"));
  const command = ["--net", "npx", "--no-install", "lodestone", "embed", "--model", "model"];
  const { code, stdout, stderr } = await run("unshare", command, { cwd: project, input: "def f(a, b): return a + b" });
  expect(code, stderr).toBe(0);
  expect(Math.hypot(...(JSON.parse(stdout) as number[]))).toBeCloseTo(1, 5);
});

testWithNamespaces("without network it embeds, evaluates and searches with the encoder that it brings", async () => {
  const offline = (args: string[], input = ""): ReturnType<typeof run> =>
    run("unshare", ["--net", "npx", "--no-install", "lodestone", ...args], { cwd: project, input });
  const embedded = await offline(["embed"], "def f(a, b): return a + b");
  expect(embedded.code, embedded.stderr).toBe(0);
  expect(Math.hypot(...(JSON.parse(embedded.stdout) as number[]))).toBeCloseTo(1, 5);
  await mkdir(join(project, "code"));
  await writeFile(join(project, "code/dates.py"), "def parse_date(text):\n    return strptime(text, '%Y-%m-%d')\n");
  await writeFile(
    join(project, "code/files.py"),
    "def read_lines(path):\n    with open(path) as f:\n        return list(f)\n",
  );
  const found = await offline(["search", "turn a string into a day", "code", "--json"]);
  expect(found.code, found.stderr).toBe(0);
  expect((JSON.parse(found.stdout) as { path: string }[])[0]!.path).toBe("dates.py");
});

test("the library imports by its name, with types", async () => {
  await writeFile(
    join(project, "use.mjs"),
    'import * as lodestone from "lodestone";\nconsole.log(typeof lodestone.loadEncoder);\n',
  );
  expect(await run("node", ["use.mjs"], { cwd: project })).toMatchObject({ code: 0, stdout: "function\n" });
  const typed = [
    'import { loadEncoder, UserError } from "lodestone";',
    'import { Graph } from "lodestone/graph";',
    'export const graph = new Graph("a");',
    'export const vectors: Promise<Float32Array> = loadEncoder("model").then((encoder) => encoder.embedAll(["a"]));',
    "// @ts-expect-error a folder is a string",
    "export const wrong = loadEncoder(3);",
    'export const code: string = new UserError("a.b", "c").code;',
  ];
  await writeFile(join(project, "use.mts"), typed.join("\n"));
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck"];
  const checked = await run("node", [...tsc, "--module", "nodenext", "--target", "es2023", "use.mts"], {
    cwd: project,
  });
  expect(checked, checked.stdout).toMatchObject({ code: 0 });
});
