import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { internalError } from "../base/index.js";

/** Where the compiled scripts of the pages may lie: beside this code, or (run from sources) in dist/. */
const PLACES = ["../web/client/", "../../dist/web/client/"].map((path) => new URL(path, import.meta.url));

/** A compiled script of `src/web/client/`, or undefined where there is none of that name. */
export async function clientScript(name: string): Promise<string | undefined> {
  if (!/^[a-z][a-z-]*\.js$/.test(name)) return undefined;
  for (const place of PLACES) {
    const text = await readFile(fileURLToPath(new URL(name, place)), "utf8").catch(() => undefined);
    if (text !== undefined) return text;
  }
  if (["chart.js", "search.js"].includes(name)) throw internalError("the pages' scripts are not built: npm run build");
  return undefined;
}
