import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { cachedRepository } from "../_cache-paths.js";
import { git, isLocalRepository, isMirrorName, resolveCommit } from "../_git.js";
import { locateRepository } from "../git.js";
import type { GitConfig } from "../schema.js";
import { complaint, failed, type Outcome } from "./_outcome.js";

/**
 * Makes sure that a commit can be read: mirrors and folders are looked at where they are, a URL is fetched with the user's
 * own `git`, that commit alone where the server allows it.
 */
export async function fetchGit(
  config: GitConfig,
  cache: string,
  mirrors: string | undefined,
  partial: string,
  signal?: AbortSignal,
): Promise<Outcome> {
  const { repository } = config;
  const isUrl = !isMirrorName(repository) && !isLocalRepository(repository);
  if (isUrl) {
    const dir = cachedRepository(cache, repository);
    if (!existsSync(dir) || (await resolveCommit(dir, config.commit, signal)) === undefined) {
      const problem = await download(config, partial, signal);
      if (problem !== undefined) return problem;
      await rm(dir, { recursive: true, force: true });
      await mkdir(dirname(dir), { recursive: true });
      await rename(partial, dir);
    }
  }
  const found = locateRepository(repository, { cache, mirrors });
  if ("why" in found) return failed(found.why);
  const wanted = await resolveCommit(found.dir, config.commit, signal);
  const resolved = wanted ?? (await resolveCommit(found.dir, "HEAD", signal));
  if (resolved === undefined) return failed(`neither ${config.commit} nor HEAD is a commit`);
  const note = wanted === undefined ? `wanted ${config.commit}, took HEAD, ${resolved}` : undefined;
  return { ok: true, locked: { resolved, ...(note === undefined ? {} : { note }), files: [] } };
}

/** Undefined if all went well. */
async function download(config: GitConfig, dir: string, signal?: AbortSignal): Promise<Outcome | undefined> {
  const { repository, commit } = config;
  const begun = await git(dir, ["init", "-q", "--bare", "--template=", dir], { signal });
  if (begun.code !== 0) return failed(complaint(begun.stderr, "git init failed"));
  const options = ["fetch", "-q", "--no-tags", "--no-write-fetch-head"];
  const alone = await git(dir, [...options, "--depth=1", "--", repository, `${commit}:refs/heads/corpus`], { signal });
  if (alone.code !== 0) {
    const all = ["--", repository, "+refs/heads/*:refs/remotes/all/*", "+refs/tags/*:refs/tags/*"];
    const whole = await git(dir, [...options, ...all, "+HEAD:refs/heads/corpus"], { signal });
    if (whole.code !== 0) return failed(complaint(whole.stderr, "git fetch failed"), true);
  }
  await git(dir, ["symbolic-ref", "HEAD", "refs/heads/corpus"], { signal });
  // A branch or a tag keeps its name, so that it is found again.
  if (alone.code === 0 && !/^[0-9a-f]{40,64}$/.test(commit) && commit !== "HEAD") {
    await git(dir, ["update-ref", `refs/tags/${commit}`, "refs/heads/corpus"], { signal });
  }
  return undefined;
}
