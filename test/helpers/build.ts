import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Tests of the command line run what is compiled: brings dist/ up to date once, before the slow tests. */
export default function setup(): void {
  const script = fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url));
  const { status } = spawnSync(process.execPath, [script, "--if-stale"], { stdio: "inherit" });
  if (status === 0) return;
  const message = "dist/ could not be compiled";
  if (process.env["CI"] === "true") throw new Error(message);
  console.error(`${message}: tests of the command line use what was there before`);
}
