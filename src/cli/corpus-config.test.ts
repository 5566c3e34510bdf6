import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dispatch } from "./_dispatch.js";
import { withPathsOf } from "./_corpus-config.js";

test("paths in a config are those from its own folder", () => {
  const sources = [
    { kind: "recipe", path: "r.json" },
    { path: "/code" },
    { path: "../code" },
    { kind: "git", repository: "a/b" },
    3,
  ];
  expect(withPathsOf("configs/big/c.json", { sources, exclude: ["sets/a"], seed: 1 })).toEqual({
    sources: [
      { kind: "recipe", path: "configs/big/r.json" },
      { path: "/code" },
      { path: "configs/code" },
      { kind: "git", repository: "a/b" },
      3,
    ],
    exclude: ["configs/big/sets/a"],
    seed: 1,
  });
  expect(withPathsOf("c.json", { sources: "wrong" })).toEqual({ sources: "wrong" });
});

test("corpus build finds a config's recipe next to the config", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lodestone-config-"));
  try {
    await mkdir(join(folder, "r"));
    const recipe = { name: "r", version: 1, sources: [{ path: "no-such-folder" }] };
    await writeFile(join(folder, "r/recipe.json"), JSON.stringify(recipe));
    await writeFile(join(folder, "r/c.json"), JSON.stringify({ sources: [{ kind: "recipe", path: "recipe.json" }] }));
    const build = dispatch(["corpus", "build", "--config", join(folder, "r/c.json"), "--out", join(folder, "o")], "0", {
      signal: new AbortController().signal,
      progress: () => undefined,
      say: () => undefined,
      print: () => Promise.resolve(),
      colour: false,
      readInput: () => Promise.resolve(""),
    });
    await expect(build).rejects.toThrow(`expected a folder at ${join(folder, "r/no-such-folder")}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
