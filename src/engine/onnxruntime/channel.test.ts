import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../base/index.js";
import { Channel } from "./_channel.js";

/** Workers that end badly, in place of the real one. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-channel-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function channelTo(name: string, body: string): Promise<Channel> {
  const path = join(folder, `${name}.mjs`);
  await writeFile(
    path,
    `import { parentPort } from "node:worker_threads";\nparentPort.on("message", (m) => { ${body} });`,
  );
  return new Channel(pathToFileURL(path), 200);
}
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => (error instanceof UserError ? error.code : error),
  );

describe("a session's channel", () => {
  test("a worker that throws rejects every call in hand, and every later one", async () => {
    const channel = await channelTo("throwing", `if (m.call === "write") throw new Error("out of paper");`);
    const calls = [channel.call("read", [[]]), channel.call("read", [[]]), channel.call("write", [{}])];
    expect(await Promise.all(calls.map(codeOf))).toEqual(["engine.died", "engine.died", "engine.died"]);
    const later = channel.call("read", [[]]);
    await expect(later).rejects.toThrow(/expected its worker thread to go on, got its end \(out of paper\)/);
    await channel.close();
  });

  test("a worker that exits does too", async () => {
    const channel = await channelTo("exiting", "process.exit(3);");
    await expect(channel.call("read", [[]])).rejects.toThrow(/got its end \(exit code 3\)/);
    await channel.close();
  });

  test("closing rejects calls in hand at once, and ends a worker that never answers", async () => {
    const channel = await channelTo("deaf", "");
    const call = codeOf(channel.call("read", [[]]));
    const closing = channel.close();
    expect(await call).toBe("engine.closed");
    await closing;
    expect(await codeOf(channel.call("read", [[]]))).toBe("engine.closed");
  });

  test("answers come back to the call they belong to", async () => {
    const channel = await channelTo(
      "reversing",
      `(globalThis.held ??= []).push(m); if (held.length === 3) for (const r of held.reverse()) parentPort.postMessage({ id: r.id, result: r.args[0] });`,
    );
    const calls = ["a", "b", "c"].map((name) => channel.call("read", [[name]]));
    expect(await Promise.all(calls)).toEqual([["a"], ["b"], ["c"]]);
    await channel.close();
  });
});
