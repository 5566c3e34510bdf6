import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { UserError, type Tensor } from "../../base/index.js";
import { readFrames, writeFrame, type Frame } from "./_frames.js";
import { pythonEnvironment } from "./_python.js";

/** How long a process that was told to end may take. */
const GRACE = 2000;
/** How much of standard error is kept for a message. */
const KEPT = 4096;

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The Python process of a session: calls go to it, answers come back in order. Every call is settled, also when the
 * process is killed in the middle. An idle process does not keep ours up, and none outlives it: the end of its input
 * ends it.
 */
export class TorchProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ready: Promise<Frame>;
  #settleReady!: Waiting;
  #nextId = 0;
  #ended: UserError | undefined;
  #gone: Promise<void>;
  #errors = "";
  #protocolBroken: string | undefined;

  private constructor(private readonly python: string) {
    this.#child = spawn(python, ["-m", "lodestone_torch.serve"], {
      stdio: ["pipe", "pipe", "pipe"],
      env: pythonEnvironment(),
      windowsHide: true,
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.#ready.catch(() => undefined);
    const { stdin, stdout, stderr } = this.#child;
    this.#gone = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#end(this.#cannotStart(error.message));
        resolve();
      });
      this.#child.once("close", (code, signal) => {
        this.#end(this.#died(signal ?? `exit code ${code}`));
        resolve();
      });
    });
    stdin.on("error", () => undefined); // Its end tells the same, with the reason.
    stderr.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString("utf8")).slice(-KEPT);
    });
    readFrames(
      stdout,
      (frame) => this.#take(frame),
      (why) => {
        this.#protocolBroken = why;
        this.#child.kill("SIGKILL");
      },
    );
    // Until it is ready somebody waits for it.
    this.#reference(true);
  }

  /** Starts a process and waits until it can take calls. @throws UserError `engine.python`, `engine.torch` */
  static async start(python: string): Promise<{ readonly process: TorchProcess; readonly ready: Frame["header"] }> {
    const started = new TorchProcess(python);
    try {
      const { header } = await started.#ready;
      if (header["failure"] !== undefined) throw fromFailure(header["failure"]);
      started.#reference(false);
      return { process: started, ready: header["ready"] as Frame["header"] };
    } catch (error) {
      await started.close();
      throw error;
    }
  }

  /** The process's number, for tests that kill it. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  call(header: Readonly<Record<string, unknown>>, tensors: Readonly<Record<string, Tensor>> = {}): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        // A fresh error each time: its stack then names this call.
        const { code, message, fix } = this.#ended;
        reject(new UserError(code, message, { cause: this.#ended, ...(fix === undefined ? {} : { fix }) }));
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#reference(true);
      writeFrame(this.#child.stdin, { ...header, id }, tensors);
    });
  }

  /** Ends the process, a run in hand included, and waits until it is gone. */
  async close(): Promise<void> {
    this.#end(new UserError("engine.closed", "engine: expected an open session, got a closed one"));
    this.#reference(true);
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), GRACE);
    await this.#gone;
    clearTimeout(timer);
  }

  #take(frame: Frame): void {
    const id = frame.header["id"];
    if (typeof id !== "number") {
      this.#settleReady.resolve(frame);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#reference(false);
    const failure = frame.header["failure"];
    if (failure === undefined) waiting?.resolve(frame);
    else waiting?.reject(fromFailure(failure));
  }

  #end(reason: UserError): void {
    this.#ended ??= reason;
    this.#settleReady.reject(this.#ended);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  /** Whether the process keeps ours running. */
  #reference(on: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const handle of [this.#child, stdin, stdout, stderr] as unknown as Pick<Socket, "ref" | "unref">[]) {
      if (on) handle.ref();
      else handle.unref();
    }
  }

  #cannotStart(why: string): UserError {
    return new UserError("engine.python", `torch engine: expected ${this.python} to start, got: ${why}`, {
      fix: "Run `lodestone engine torch --install`, or name a Python that has PyTorch with --python",
    });
  }

  #died(how: string): UserError {
    const said = this.#protocolBroken ?? lastLine(this.#errors);
    const came = `${how}${said === "" ? "" : `: ${said}`}`;
    const killed = how === "SIGKILL";
    return new UserError("engine.died", `torch engine: expected its Python process to go on, got its end (${came})`, {
      fix: killed
        ? "Something killed it, most often for want of memory: give smaller batches or chunks; training goes on from its last checkpoint"
        : "Training goes on from its last checkpoint when the same command is run again",
    });
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
}

function fromFailure(failure: unknown): UserError {
  const { code, message, fix } = failure as { code: string; message: string; fix?: string | null };
  return new UserError(code, message, typeof fix === "string" ? { fix } : {});
}
