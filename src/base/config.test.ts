import { expect, test } from "vitest";
import { z } from "zod";
import { parseConfig } from "./config.js";
import { ProgressMeter, type ProgressEvent } from "./progress.js";

const schema = z.strictObject({
  steps: z.number().int().positive(),
  inner: z.strictObject({ rate: z.number() }).default({ rate: 1 }),
});

test("a valid config comes back frozen with its defaults", () => {
  const config = parseConfig(schema, { steps: 3 }, "config");
  expect(config).toEqual({ steps: 3, inner: { rate: 1 } });
  expect(Object.isFrozen(config.inner)).toBe(true);
});

test.each([
  [{ steps: 3, stpes: 4 }, /run\.json: .*stpes/, "Known keys: steps, inner"],
  [{ steps: 3, inner: { rate: 1, raet: 2 } }, /run\.json: inner: .*raet/, "Known keys: rate"],
])("an unknown key is named, with the known ones at its place as the fix: %j", (value, message, fix) => {
  const parse = (): unknown => parseConfig(schema, value, "run.json");
  expect(parse).toThrow(message);
  expect(parse).toThrow(expect.objectContaining({ code: "config.unknown-key", fix }) as Error);
});

test("a wrong value is named by its path", () => {
  expect(() => parseConfig(schema, { steps: 3, inner: { rate: "fast" } }, "config")).toThrow(/inner\.rate: .*number/);
});

test("progress estimates the time left from the recent rate and always reports the end", async () => {
  const events: ProgressEvent[] = [];
  const meter = new ProgressMeter("work", "items", 10, (event) => events.push(event));
  for (let done = 1; done <= 10; done++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    meter.update(done);
  }
  expect(events.at(-1)).toMatchObject({ done: 10, total: 10, etaSeconds: 0 });
  const middle = events.find((event) => event.done >= 4 && event.done < 8)!;
  expect(middle.etaSeconds! / ((10 - middle.done) * 0.03)).toBeGreaterThan(0.5);
  expect(middle.etaSeconds! / ((10 - middle.done) * 0.03)).toBeLessThan(5);
});
