import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { colouredLines } from "../src/web/client/coloured-lines.js";
import { SEARCH_PAGE } from "../src/web/index.js";
import { BrowserPage } from "./helpers/browser.js";
import { temporaryFolder } from "./helpers/cli.js";
import { undefinedColours } from "./helpers/page.js";
import { chromium, testWithChromium } from "./helpers/requires.js";
import { newModel, newRepository, serveFor, untilReady, type Served } from "./helpers/serving.js";

const temporary = await temporaryFolder("search-page");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let page: BrowserPage;
let bag: string;
let server: Served | undefined;
beforeAll(async () => {
  bag = await newModel(temporary, "static");
  if (chromium !== undefined) page = await BrowserPage.start(temporary);
}, 60_000);
afterAll(async () => {
  await server?.close(1);
  if (chromium !== undefined) await page.close();
});

const OWN = {
  "src/queue.ts":
    "/** Tries a task again, later each time. */\nexport async function retry<T>(task: () => Promise<T>, times = 3): Promise<T> {\n  for (let i = 0; ; i++) {\n    try {\n      return await task();\n    } catch (error) {\n      if (i === times) throw error;\n      await sleep(100 * 2 ** i); // 100 ms, 200 ms, ...\n    }\n  }\n}\n",
  "src/html.ts": 'export const HOSTILE = "<img src=x onerror=document.title=1>";\nexport function escape() {}\n',
  "src/date.py":
    'def parse_date(text):\n    """Reads a calendar day."""\n    year, month, day = text.split("-")\n    return int(year), int(month), int(day)\n',
  "lib/tide.go": "package tide\n\n// HighWater tells when the tide is high.\nfunc HighWater() int {\n\treturn 12\n}\n",
  "README.md": "# Tides\n\nHigh water at noon.\n",
};

/** What axe finds wrong, in short. */
async function violations(): Promise<string[]> {
  await page.evaluate(`${axe}; true`);
  return page.evaluate(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ").slice(0, 300)))`,
  );
}
const places = () =>
  page.evaluate<string[]>("[...document.querySelectorAll('#hits > li')].map((li) => li.dataset.place)");

test("every colour is defined for light and dark", () => {
  expect(undefinedColours(SEARCH_PAGE)).toEqual({ light: [], dark: [] });
});

test("highlighting keeps the text, line by line", () => {
  for (const [path, text] of Object.entries(OWN)) {
    const lines = colouredLines(text, path.endsWith("py") ? "python" : "typescript");
    expect(lines.map((pieces) => pieces.map((piece) => piece.text).join("")).join("\n")).toBe(text);
  }
  const [line] = colouredLines('return "a // b" + 12; // c', "typescript");
  expect(line!.filter(({ kind }) => kind !== undefined)).toEqual([
    { text: "return", kind: "keyword" },
    { text: '"a // b"', kind: "string" },
    { text: "12", kind: "number" },
    { text: "// c", kind: "comment" },
  ]);
});

testWithChromium(
  "live results by keyboard, filters, explanation; nothing runs that was found, nothing comes from outside",
  async () => {
    server = await serveFor({ roots: [await newRepository(temporary, "app", OWN)], encoder: { static: bag } });
    await untilReady(server.url);
    await page.open(server.url);
    await page.until("document.activeElement.id === 'query'");
    await page.until("document.querySelector('#repositories li')?.textContent.includes('app: ready')");
    await page.type("retry a task");
    await page.until("document.querySelectorAll('#hits > li').length > 0");
    expect((await places())[0]).toBe("src/queue.ts:1");
    expect(await page.evaluate("document.querySelector('#hits .keyword').textContent")).toBe("export");
    expect(await page.evaluate("document.querySelector('#status').textContent")).toMatch(
      /^\d+ hits? by static encoder and words in [\d.]+ ms$/,
    );
    expect(await page.evaluate("location.search")).toBe("?q=retry+a+task");

    await page.press("ArrowDown");
    expect(await page.evaluate("document.activeElement.dataset.place")).toBe("src/queue.ts:1");
    await page.press("j");
    expect(await page.evaluate("document.activeElement.dataset.place")).toBe((await places())[1]);
    await page.press("k");
    await page.press("e");
    await page.until("document.querySelector('#hits dl')");
    expect(await page.evaluate("document.querySelector('#hits dl').innerText")).toContain("words");
    expect(await violations()).toEqual([]);
    await page.scheme("dark");
    expect(await violations()).toEqual([]);
    await page.scheme("light");
    await page.press("Escape");
    expect(await page.evaluate("document.activeElement.id")).toBe("query");

    await page.evaluate("language.value = 'python', language.dispatchEvent(new Event('change'))");
    await page.until("[...document.querySelectorAll('#hits > li')].every((li) => li.dataset.place.endsWith('.py:1'))");
    await page.evaluate("language.value = '', path.value = 'lib/', path.dispatchEvent(new Event('input'))");
    await page.until("document.querySelector('#hits > li')?.dataset.place.startsWith('lib/tide.go')");
    await page.evaluate("path.value = '', query.value = 'HOSTILE', query.dispatchEvent(new Event('input'))");
    await page.until("document.querySelector('#hits > li')?.dataset.place.startsWith('src/html.ts')");
    expect(await page.evaluate("document.querySelectorAll('#hits img').length + document.title")).toBe(
      "0lodestone search",
    );
    await page.evaluate("document.body.append(document.createElement('img'))");
    expect((await violations()).join()).toContain("image-alt"); // The check sees.
    await page.evaluate("document.querySelector('body > img').remove()");
    await page.evaluate("query.value = '', query.dispatchEvent(new Event('input'))");
    await page.until("document.querySelectorAll('#hits > li').length === 0");
    expect(await violations()).toEqual([]);

    expect(page.errors).toEqual([]);
    expect(page.requests.filter((url) => !url.startsWith(server!.url) && !url.startsWith("data:"))).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    if (process.env["LODESTONE_SCREENSHOTS"] === undefined) return;
    await page.open(`${server.url}?q=retry+a+task&explain=true`);
    await page.until("document.querySelectorAll('#hits > li').length > 0");
    await page.screenshot(fileURLToPath(new URL("../docs/serve.png", import.meta.url)));
  },
);

testWithChromium("asks for the token where there is one", async () => {
  await server?.close(1);
  const token = "correct horse battery";
  server = await serveFor({ roots: [await newRepository(temporary, "app", OWN)], encoder: {}, token });
  await page.open(`${server.url}?q=parse_date`);
  await page.until("!document.querySelector('#token-form').hidden");
  expect(await places()).toEqual([]);
  expect(await violations()).toEqual([]);
  await page.evaluate("document.querySelector('#token').focus()");
  await page.type(token);
  await page.press("Enter");
  await page.until("document.querySelectorAll('#hits > li').length > 0");
  expect((await places())[0]).toBe("src/date.py:1");
  expect(await page.evaluate("document.querySelector('#token-form').hidden")).toBe(true);
});

testWithChromium("tells how far indexing is, and asks again when it is done", async () => {
  await server?.close(1);
  server = await serveFor({ roots: [await newRepository(temporary, "app", OWN)], encoder: {} });
  await untilReady(server.url);
  // The first answers about the index are those of a large folder that is being indexed.
  const { identifier } = await page.send("Page.addScriptToEvaluateOnNewDocument", {
    source: `{
      const real = window.fetch;
      const busy = { name: "app", state: "indexing", progress: { done: 30, total: 120, unit: "files" }, error: null,
        files: 30, chunks: 1200, languages: {}, answersFrom: "lexical" };
      window.searches = 0;
      window.answers = 3;
      window.fetch = (address, init) => {
        if (address === "/search") window.searches++;
        return address === "/repositories" && window.answers-- > 0
          ? Promise.resolve(Response.json({ repositories: [busy] }))
          : real(address, init);
      };
    }`,
  });
  await page.open(`${server.url}?q=retry`);
  await page.until("document.querySelector('#repositories progress')?.value === 30");
  expect(await page.evaluate("document.querySelector('#repositories li').textContent")).toBe(
    "app: indexing; 1,200 places in 30 files, answers by words alone",
  );
  expect(await violations()).toEqual([]);
  await page.until("document.querySelector('#repositories li').dataset.state === 'ready'");
  await page.until("window.searches === 2");
  await page.send("Page.removeScriptToEvaluateOnNewDocument", { identifier });
});
