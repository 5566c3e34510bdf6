import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dispatch } from "./_dispatch.js";

test("corpus fetch reports what cannot be had, and fails only if it is required", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lodestone-fetch-"));
  try {
    const recipe = join(folder, "recipe.json");
    const said: string[] = [];
    const fetch = async (required: boolean): Promise<string> => {
      const source = { kind: "git", repository: "owner/name", required };
      await writeFile(recipe, JSON.stringify({ name: "r", version: 1, sources: [source] }));
      let printed = "";
      await dispatch(["corpus", "fetch", recipe, "--cache", join(folder, "cache"), "--mirrors", folder], "0", {
        signal: new AbortController().signal,
        progress: () => undefined,
        say: (line) => void said.push(line),
        print: (text) => {
          printed += text;
          return Promise.resolve();
        },
        colour: false,
        readInput: () => Promise.resolve(""),
      });
      return printed;
    };
    expect(await fetch(false)).toMatch(/entries +1\n.*\n.*\nfailed +1\n/);
    expect(said).toEqual([`could not be had: git:owner/name: no mirror of owner/name in ${folder}`]);
    await expect(fetch(true)).rejects.toMatchObject({ code: "corpus.required" });
  } finally {
    await rm(folder, { recursive: true });
  }
});
