import { LANGUAGES } from "../../base/index.js";
import { loadLanguage } from "../../languages/index.js";
import { languageOf, readSource } from "../_sources.js";
import { command } from "../command.js";

export const obfuscate = command({
  name: "obfuscate",
  description:
    "Replaces the classes, functions and variables that a file defines by c_0, f_0, v_0, ...; comments, strings and " +
    "names from elsewhere stay. Prints the code, then the map of placeholders to names",
  args: {
    file: { type: "positional", description: "The source file, or - for standard input", required: true },
    lang: {
      type: "enum",
      alias: "language",
      options: [...LANGUAGES],
      valueHint: "NAME",
      description: `Its language, where the ending does not tell: ${LANGUAGES.join(", ")}`,
    },
    json: { type: "boolean", description: "Print one JSON object {text, map} instead" },
    map: { type: "boolean", default: true, description: "List the placeholders after the code (--no-map: only code)" },
  },
  examples: [
    { does: "What the model sees of a file", line: "lodestone obfuscate src/index.js" },
    { does: "A file without an ending", line: "lodestone obfuscate bin/tool --lang python" },
    { does: "Only the code, in a pipe", line: "lodestone obfuscate - --lang go --no-map < main.go" },
  ],
  async run({ file, lang, json, map: withMap }, { print, readInput }) {
    const chosen = languageOf(file, lang);
    const source = file === "-" ? await readInput() : await readSource(file);
    const { text, map } = (await loadLanguage(chosen)).obfuscate(source);
    if (json === true) return print(`${JSON.stringify({ text, map })}\n`);
    const code = `${text}${text.endsWith("\n") ? "" : "\n"}`;
    if (!withMap) return print(code);
    const lines = Object.entries(map).map(([placeholder, name]) => `${placeholder} ${name}\n`);
    return print(`${code}\n${lines.join("")}`);
  },
});
