import { mkdir, readdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { runProgram } from "../_run.js";
import { lockedFile, type Locked } from "../lock.js";
import type { NpmConfig } from "../schema.js";
import { complaint, failed, substitution, type Outcome } from "./_outcome.js";

/**
 * Downloads a package with `npm pack`, which checks its integrity, runs no script of it, and looks into npm's own cache
 * first.
 *
 * @param earlier what the lock says of it: that version again, if it can still be had
 * @param partial an empty folder of its own, on the cache's file system
 */
export async function fetchNpm(
  config: NpmConfig,
  earlier: Locked | undefined,
  cache: string,
  partial: string,
  signal?: AbortSignal,
): Promise<Outcome> {
  const { name, version } = config;
  const exact = /^v?\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/.test(version);
  const range = config.range ?? (exact ? `^${version}` : version);
  let last: Outcome = failed(`${name}@${version} was not found`);
  for (const request of new Set([...(earlier === undefined ? [] : [earlier.resolved]), version, range])) {
    const result = await runProgram(
      "npm",
      ["pack", `${name}@${request}`, "--json", "--ignore-scripts", "--prefer-offline"].concat([
        "--fetch-retries",
        "0",
        "--loglevel",
        "error",
        "--workspaces=false",
        "--pack-destination",
        partial,
      ]),
      { cwd: partial, signal, env: { npm_config_update_notifier: "false" } },
    );
    if (result.code === 0) return keep(config, exact, earlier, cache, partial);
    const code = /npm (?:error|ERR!) code (\w+)/.exec(result.stderr)?.[1] ?? "";
    const gone = ["E404", "ETARGET", "ENOVERSIONS", "EUNPUBLISHED"].includes(code);
    last = failed(complaint(result.stderr, `npm pack ended with ${result.code}`), !gone && code !== "EINVALIDTAGNAME");
    if (!gone) break;
  }
  return last;
}

async function keep(
  config: NpmConfig,
  exact: boolean,
  earlier: Locked | undefined,
  cache: string,
  partial: string,
): Promise<Outcome> {
  const { name, version } = config;
  const tarball = (await readdir(partial)).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) return failed("npm pack wrote no package");
  const stem = name.replace(/^@/, "").replace("/", "-");
  const resolved = basename(tarball, ".tgz").slice(stem.length + 1);
  const path = `npm/${name.replace("/", "+")}-${resolved}.tgz`;
  await mkdir(join(cache, "npm"), { recursive: true });
  await rename(join(partial, tarball), join(cache, path));
  const substituted = exact && resolved !== version.replace(/^v/, "");
  const note = substituted ? substitution(version, resolved, config.range ?? `^${version}`) : undefined;
  const kept = earlier?.resolved === resolved ? earlier.note : note;
  const files = [await lockedFile(cache, path)];
  return { ok: true, locked: { resolved, ...(kept === undefined ? {} : { note: kept }), files } };
}
