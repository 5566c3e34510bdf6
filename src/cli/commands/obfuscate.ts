import { LANGUAGES, UserError } from "../../base/index.js";
import { languageOfPath, loadLanguage, parseLanguage } from "../../languages/index.js";
import { readSource } from "../_sources.js";
import { command } from "../command.js";

export const obfuscate = command({
  name: "obfuscate",
  description:
    "Replaces the classes, functions and variables that a file defines by c_0, f_0, v_0, ...; comments, strings and " +
    "names from elsewhere stay. Prints the code, then the map of placeholders to names",
  args: {
    file: { type: "positional", description: "The source file", required: true },
    language: {
      type: "enum",
      options: [...LANGUAGES],
      valueHint: "NAME",
      description: `Its language, where the ending does not tell: ${LANGUAGES.join(", ")}`,
    },
    json: { type: "boolean", description: "Print one JSON object {text, map} instead" },
  },
  examples: [
    { does: "What the model sees of a file", line: "lodestone obfuscate src/index.js" },
    { does: "A file without an ending", line: "lodestone obfuscate bin/tool --language python" },
  ],
  async run({ file, language, json }, { print }) {
    const chosen = language === undefined ? languageOfPath(file) : parseLanguage(language);
    if (chosen === undefined) {
      throw new UserError("arguments.value", `${file}: expected an ending of a known language, got another`, {
        fix: `Name it with --language, one of ${LANGUAGES.join(", ")}`,
      });
    }
    const source = await readSource(file);
    const { text, map } = (await loadLanguage(chosen)).obfuscate(source);
    if (json === true) return print(`${JSON.stringify({ text, map })}\n`);
    const lines = Object.entries(map).map(([placeholder, name]) => `${placeholder} ${name}\n`);
    return print(`${text}${text.endsWith("\n") ? "" : "\n"}\n${lines.join("")}`);
  },
});
