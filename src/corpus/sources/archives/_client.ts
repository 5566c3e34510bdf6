import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline, Readable } from "node:stream";
import { runProgram } from "../_run.js";

/** Options of another user of the client, from its environment, are none of ours. */
const env = { XZ_OPT: "", XZ_DEFAULTS: "", BZIP: "", BZIP2: "", LC_ALL: "C" };
const found = new Map<string, Promise<boolean>>();

/** Whether the machine has a program; looked up once for each `PATH`. */
export function hasClient(program: "xz" | "bzip2"): Promise<boolean> {
  const key = `${program}\0${process.env["PATH"]}`;
  let answer = found.get(key);
  if (answer === undefined) {
    answer = runProgram(program, ["--help"], { env }).then(
      () => true,
      () => false,
    );
    found.set(key, answer);
  }
  return answer;
}

/** Unpacks a stream in a process of its own: several times as fast as in JavaScript. @throws for broken data */
export async function* unpackWithClient(
  program: "xz" | "bzip2",
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  const closed = once(child, "close") as Promise<[number | null]>;
  closed.catch(() => undefined);
  const input = Readable.from(source);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-1000)));
  pipeline(input, child.stdin, () => undefined); // It ends early where the data are broken: the exit code says so.
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const [code] = await closed;
    if (input.errored !== null) throw input.errored;
    if (code !== 0) throw new Error(stderr.trim() || `${program} ended with ${code}`);
  } finally {
    child.kill("SIGTERM");
    input.destroy();
  }
}
