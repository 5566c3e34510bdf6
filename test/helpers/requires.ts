import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { peersPython } from "../../bench/peers.js";

/**
 * What some tests need beyond `npm ci`. Where it is missing the test says so and is skipped; under `CI=true` it fails
 * instead, because CI is expected to have everything.
 */
const inCi = process.env["CI"] === "true";

/** Python with the peers of `bench/peers/requirements.txt` (`npm run bench -- setup`). */
export const python = peersPython();

/** The public evaluation sets beside the checkout. */
const sharedFolder = fileURLToPath(new URL("../../../shared", import.meta.url));
export const shared = existsSync(`${sharedFolder}/eval/metrics.py`) ? sharedFolder : undefined;

/** Debian's Chromium or another one named by `CHROMIUM`. */
export const chromium = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

type Body = () => void | Promise<void>;

function needing(what: string, present: boolean): (name: string, body: Body) => void {
  return (name, body) => {
    if (present) test(name, body);
    else if (inCi) test(name, () => Promise.reject(new Error(`CI is expected to have ${what}`)));
    else test.skip(`${name} (skipped: needs ${what})`, body);
  };
}

/** `test` for what needs the peers' Python. */
export const testWithPython = needing("the peers' Python: npm run bench -- setup", python !== undefined);
/** `test` for what needs ../shared. */
export const testWithShared = needing("../shared beside the checkout", shared !== undefined);
/** `test` for what needs both. */
export const testWithSharedAndPython = needing(
  "../shared and the peers' Python",
  shared !== undefined && python !== undefined,
);
/** `test` for what needs a browser. */
export const testWithChromium = needing("Chromium", chromium !== undefined);
/** Whether this user may make mount and network namespaces: real read-only mounts, small disks, no network. */
const namespaces = spawnSync("unshare", ["--mount", "--net", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
/** `test` for what needs them. */
export const testWithNamespaces = needing("mount and network namespaces (Linux, root)", namespaces);
