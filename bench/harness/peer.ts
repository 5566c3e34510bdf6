import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { UserError } from "../../src/base/index.js";

/**
 * A peer that stays up between repetitions, so that interleaving does not pay its start again.
 *
 * Protocol, one JSON value a line both ways: the first line to it is the job, and it answers once (`{"ready": ...}`)
 * when it has loaded and warmed up. Each further line is a command, answered by one line. The end of its input ends it.
 * Its standard error goes to ours.
 */
export class Peer {
  private constructor(
    private readonly name: string,
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
    private readonly lines: Interface,
  ) {}

  /** The answer to the job. */
  ready: unknown;
  private readonly waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  private ended: Error | undefined;

  /** Starts `bench/peers/SCRIPT` under `python` and waits for its first answer. @throws UserError `bench.peer` */
  static async start(python: string, script: string, job: unknown): Promise<Peer> {
    const path = fileURLToPath(new URL(`../peers/${script}`, import.meta.url));
    const child = spawn(python, ["-u", path], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" },
    });
    const peer = new Peer(script, child, createInterface({ input: child.stdout }));
    peer.listen();
    try {
      peer.ready = await peer.ask(job);
    } catch (error) {
      await peer.close();
      throw error;
    }
    return peer;
  }

  /** Sends one command and returns its parsed answer. @throws UserError `bench.peer` where the peer died or babbled. */
  ask(command: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) {
        reject(this.ended);
        return;
      }
      this.waiting.push({ resolve, reject });
      this.child.stdin.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** Ends its input, and the process where that is not enough. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 3000);
    if (this.child.pid !== undefined) await exited;
    clearTimeout(timer);
  }

  private listen(): void {
    this.child.stdin.on("error", () => undefined); // The exit event tells the same, better.
    this.child.on("error", (error) => this.end(error.message));
    this.child.on("exit", (code, signal) => this.end(`it ended (${signal ?? `exit code ${code}`})`));
    this.lines.on("line", (line) => {
      const next = this.waiting.shift();
      try {
        next?.resolve(JSON.parse(line));
      } catch {
        next?.reject(this.error(`got ${JSON.stringify(line.slice(0, 80))}`));
      }
    });
  }

  private end(why: string): void {
    this.ended ??= this.error(`got none: ${why}`);
    for (const { reject } of this.waiting.splice(0)) reject(this.ended);
  }

  private error(came: string): UserError {
    return new UserError("bench.peer", `${this.name}: expected a line of JSON, ${came}`, {
      fix: "Its own message stands above",
    });
  }
}
