import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { cliPath, lodestone, root, run, temporaryFolder } from "../helpers/cli.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder("cli");
});

test("--version is package.json's", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  expect(await lodestone(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

test("--help goes to standard output, complaints to standard error", async () => {
  const help = await lodestone(["--help"]);
  expect(help.code).toBe(0);
  expect(help.stderr).toBe("");
  expect(help.stdout).toContain("corpus build");
  expect(await lodestone(["embed", "--modle", "x"])).toEqual({
    code: 2,
    stdout: "",
    stderr: "lodestone: embed: unknown option --modle. Did you mean --model?\n",
  });
});

test("obfuscate reproduces the paper's example, and lists the map", async () => {
  const source = `class Node:
  def __init__(self, v):
    self.data = v
    self.left = None
    self.right = None

# Function to print postorder traversal
def printPostorder(node):
  if node == None:
    return
  printPostorder(node.left)
  printPostorder(node.right)
  print(node.data, end=' ')
`;
  const expected = `class c_0:
  def f_0(v_0, v_1):
    v_0.v_2 = v_1
    v_0.v_3 = None
    v_0.v_4 = None

# Function to print postorder traversal
def f_1(v_5):
  if v_5 == None:
    return
  f_1(v_5.v_3)
  f_1(v_5.v_4)
  print(v_5.v_2, end=' ')
`;
  const path = join(folder, "tree.py");
  await writeFile(path, source);
  const { code, stdout } = await lodestone(["obfuscate", path]);
  expect(code).toBe(0);
  expect(stdout.startsWith(`${expected}\n`)).toBe(true);
  const map = stdout
    .slice(expected.length + 1)
    .trim()
    .split("\n")
    .sort();
  expect(map).toEqual(
    ["c_0 Node", "f_0 __init__", "f_1 printPostorder"]
      .concat(["v_0 self", "v_1 v", "v_2 data", "v_3 left", "v_4 right", "v_5 node"])
      .sort(),
  );
  const json = await lodestone(["obfuscate", path, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ text: expected, map: { c_0: "Node", v_5: "node" } });
});

test("a reader that has seen enough is no error", async () => {
  const result = await run("bash", ["-c", `set -o pipefail; ${process.execPath} ${cliPath} --help | head -1`]);
  expect(result).toMatchObject({ code: 0, stderr: "" });
});

test("Ctrl-C stops a long command behind the work in hand; the same command goes on", async () => {
  const source = join(folder, "long");
  await mkdir(source);
  for (let i = 0; i < 1500; i++) {
    const body = Array.from({ length: 60 }, (_, j) => `  total += values[${j}] * ${i};`).join("\n");
    const code = `/** Adds up the weighted values of series ${i}. */\nfunction series${i}(values) {\n  let total = 0;\n${body}\n  return total;\n}\n`;
    await writeFile(join(source, `series${i}.js`), code);
  }
  const out = join(folder, "long-corpus");
  const args = ["corpus", "build", source, "--out", out];
  let stopped = false;
  const first = await lodestone(args, {
    onStderr: (text, kill) => {
      if (!stopped && text.includes("corpus ")) kill("SIGINT");
      stopped ||= text.includes("corpus ");
    },
  });
  expect(first.stderr).toContain("press Ctrl-C again to stop at once");
  expect(first.code).toBe(130);
  await expect(readFile(join(out, "manifest.json"))).rejects.toThrow();
  const second = await lodestone(args);
  expect(second.code).toBe(0);
  expect(second.stdout).toMatch(/javascript +1,500 +1,500 +1,500 +1,500/);
});
