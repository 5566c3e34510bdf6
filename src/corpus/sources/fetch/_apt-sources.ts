import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../_run.js";

/**
 * Writes a list of package sources of our own: the system's, with the source packages of each. The system's stays as it
 * is.
 *
 * @returns options for apt that use it, with state and cache of their own below `folder`, so that no rights are needed
 */
export async function privateApt(folder: string, signal?: AbortSignal): Promise<string[]> {
  const parts = join(folder, "sources.list.d");
  await rm(parts, { recursive: true, force: true });
  for (const each of [parts, join(folder, "state/lists/partial"), join(folder, "cache/archives/partial")]) {
    await mkdir(each, { recursive: true });
  }
  const system = await systemPlaces(signal);
  const lists = [system.list, ...(await filesIn(system.parts, ".list"))];
  const lines = await Promise.all(lists.map((path) => readFile(path, "utf8").catch(() => "")));
  await writeFile(join(folder, "sources.list"), withSourceLines(lines.join("\n")));
  for (const [i, path] of (await filesIn(system.parts, ".sources")).entries()) {
    await writeFile(join(parts, `${i}.sources`), withSourceTypes(await readFile(path, "utf8")));
  }
  await writeFile(join(folder, "status"), "");
  const options = {
    "Dir::Etc::SourceList": join(folder, "sources.list"),
    "Dir::Etc::SourceParts": parts,
    "Dir::State": join(folder, "state"),
    "Dir::State::Lists": join(folder, "state/lists"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    // Root would hand downloads to a user that may not write here.
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "0",
  };
  return Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}

/** One-line entries and, for each of binary packages, the same of source packages. */
export function withSourceLines(text: string): string {
  const lines = text.split("\n").filter((line) => /^\s*deb(-src)?\s/.test(line));
  return [...new Set([...lines, ...lines.map((line) => line.replace(/^\s*deb\s/, "deb-src "))])].join("\n") + "\n";
}

/** Entries in the form of paragraphs, with source packages among their types. */
export function withSourceTypes(text: string): string {
  return text.replace(/^Types:.*$/gim, "Types: deb deb-src");
}

async function systemPlaces(signal?: AbortSignal): Promise<{ list: string; parts: string }> {
  const asked = ["LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"];
  const { stdout } = await runProgram("apt-config", ["shell", ...asked], { signal });
  const value = (name: string): string | undefined => new RegExp(`^${name}='(.*)'$`, "m").exec(stdout)?.[1];
  return { list: value("LIST") ?? "/etc/apt/sources.list", parts: value("PARTS") ?? "/etc/apt/sources.list.d" };
}

async function filesIn(folder: string, extension: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(folder, name));
}
