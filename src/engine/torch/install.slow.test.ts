import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installTorchEngine } from "./install.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-install-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that answers like a Python of that version; `rest` is shell for everything but the question for it. */
async function fakePython(version: string, rest = "exit 1"): Promise<string> {
  const path = join(folder, `python-${version}`);
  await writeFile(
    path,
    `#!/bin/sh\nif [ "$1" = "-c" ] && [ -z "$FAKE_VENV" ]; then echo ${version}; exit 0; fi\n${rest}\n`,
  );
  await chmod(path, 0o755);
  return path;
}

/** Shell for `-m venv DIR`: an environment whose pip ends as told. */
const venv = (pip: string): string =>
  `mkdir -p "$3/bin"; printf '#!/bin/sh\\nFAKE_VENV=1; ${pip}\\n' > "$3/bin/python"; chmod +x "$3/bin/python"`;

const install = (python: string) =>
  installTorchEngine({ python, build: "cpu", folder: join(folder, "cache", "torch-engine") });

test("no Python, and one that is too old", async () => {
  await expect(install(join(folder, "nothing"))).rejects.toMatchObject({
    code: "engine.python",
    message: expect.stringMatching(/expected one at .*nothing, got none that runs/) as string,
  });
  await expect(install(await fakePython("3.10.4"))).rejects.toMatchObject({
    code: "engine.python",
    message: expect.stringMatching(/expected 3\.11 or newer, got .*python-3\.10\.4 3\.10\.4/) as string,
  });
});

test("a Python without the venv module", async () => {
  const python = await fakePython("3.12.1", "echo 'No module named venv' >&2; exit 1");
  await expect(install(python)).rejects.toMatchObject({
    code: "engine.venv",
    message: expect.stringContaining("got: No module named venv") as string,
    fix: expect.stringContaining("python3-venv") as string,
  });
});

test("pip's last line is told, nothing half made stays, and what was there before does", async () => {
  const there = join(folder, "cache", "torch-engine");
  await mkdir(there, { recursive: true });
  await writeFile(join(there, "mark"), "");
  const python = await fakePython("3.12.1", venv("echo ERROR: No matching distribution found for torch >&2; exit 1"));
  await expect(install(python)).rejects.toMatchObject({
    code: "engine.install",
    message: expect.stringMatching(/got: ERROR: No matching distribution found for torch$/) as string,
  });
  expect(await readdir(there)).toEqual(["mark"]);
  expect((await readdir(join(folder, "cache"))).filter((name) => name.endsWith(".partial"))).toEqual([]);
});

test("an interrupted installation leaves nothing", async () => {
  const python = await fakePython("3.12.1", "exec sleep 30");
  const stop = new AbortController();
  const running = installTorchEngine({
    python,
    build: "cpu",
    folder: join(folder, "cache", "torch-engine"),
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(), 300);
  await expect(running).rejects.toThrow("aborted");
  expect((await readdir(join(folder, "cache"))).filter((name) => !name.endsWith(".lock"))).toEqual([]);
});
