import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { chromium } from "./requires.js";

type Message = Readonly<Record<string, unknown>>;

/** A page in Chromium, driven over the pipes of its debugging protocol: no port, no driver. */
export class BrowserPage {
  private readonly waiting = new Map<number, { resolve: (result: Message) => void; reject: (error: Error) => void }>();
  /** Addresses that the page asked for. */
  readonly requests: string[] = [];
  /** Errors that the page threw, and what its console says of errors. */
  readonly errors: string[] = [];
  private next = 1;
  private session: string | undefined;
  private rest = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly input: Writable,
    output: Readable,
  ) {
    output.on("data", (piece: Buffer) => {
      const parts = (this.rest + piece.toString()).split("\0");
      this.rest = parts.pop()!;
      for (const part of parts) this.take(JSON.parse(part) as Message);
    });
  }

  /** Starts Chromium with an empty page. */
  static async start(temporary: string, { width = 1200, height = 900 } = {}): Promise<BrowserPage> {
    const child = spawn(
      chromium!,
      [
        ...[
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--remote-debugging-pipe",
        ],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"],
        `--window-size=${width},${height}`,
        `--user-data-dir=${await mkdtemp(join(temporary, "profile-"))}`,
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    const page = new BrowserPage(child, child.stdio[3] as Writable, child.stdio[4] as Readable);
    const { targetInfos } = await page.send("Target.getTargets");
    const target = (targetInfos as { type: string; targetId: string }[]).find(({ type }) => type === "page")!;
    const attached = await page.send("Target.attachToTarget", { targetId: target.targetId, flatten: true });
    page.session = attached["sessionId"] as string;
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    return page;
  }

  /** A command of the protocol. */
  send(method: string, params: Message = {}): Promise<Message> {
    const id = this.next++;
    const session = this.session === undefined ? {} : { sessionId: this.session };
    this.input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  /** Opens an address; its scripts may still be at work. */
  async open(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
  }

  /** The value of an expression, or of the promise that it is. */
  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: object };
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails).slice(0, 1000));
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string, seconds = 10): Promise<void> {
    const end = performance.now() + 1000 * seconds;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (performance.now() > end) throw new Error(`expected in ${seconds} s: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** Writes into what has the focus, as a keyboard does. */
  async type(text: string): Promise<void> {
    await this.send("Input.insertText", { text });
  }

  /** Presses a key: a character, or `ArrowDown`, `Escape`, `Tab`, `Enter`. */
  async press(key: string): Promise<void> {
    const codes: Record<string, number> = { Tab: 9, Enter: 13, Escape: 27, ArrowUp: 38, ArrowDown: 40 };
    const code = { key, windowsVirtualKeyCode: codes[key] ?? key.toUpperCase().charCodeAt(0) };
    const text = key.length === 1 ? { text: key } : key === "Enter" ? { text: "\r" } : {};
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...code, ...text });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...code });
  }

  /** Light or dark. */
  async scheme(value: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
  }

  /** Writes a picture of what is seen. */
  async screenshot(path: string): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    await writeFile(path, Buffer.from(data as string, "base64"));
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.child.once("close", () => resolve()));
    this.session = undefined;
    this.send("Browser.close").catch(() => undefined);
    const kill = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(kill);
  }

  private take(message: Message): void {
    const { id, method, params, result, error } = message as {
      id?: number;
      method?: string;
      params?: Message;
      result?: Message;
      error?: { message: string };
    };
    if (id !== undefined) {
      const one = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) one?.resolve(result ?? {});
      else one?.reject(new Error(error.message));
    } else if (method === "Network.requestWillBeSent") {
      this.requests.push((params!["request"] as { url: string }).url);
    } else if (method === "Runtime.exceptionThrown") {
      this.errors.push(JSON.stringify(params!["exceptionDetails"]).slice(0, 500));
    } else if (method === "Log.entryAdded") {
      const { level, text } = params!["entry"] as { level: string; text: string };
      if (level === "error") this.errors.push(text);
    }
  }
}
