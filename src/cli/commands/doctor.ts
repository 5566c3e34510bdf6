import { command } from "../command.js";
import { examine, type FindingState } from "../doctor.js";

const MARKS: Readonly<Record<FindingState, string>> = { ok: "ok", missing: "--", wrong: "!!", unknown: "??" };

export const doctor = command({
  name: "doctor",
  description:
    "Says which engines, devices, instruction sets and grammars can be used here, and what to do about the rest: ok usable, -- " +
    "not there and not needed, !! to be mended, ?? could not be told",
  args: { json: { type: "boolean", description: "Print JSON" } },
  examples: [{ does: "A report", line: "lodestone doctor" }],
  async run({ json }, { print }) {
    const findings = await examine();
    if (json === true) return print(`${JSON.stringify(findings, undefined, 2)}\n`);
    const width = Math.max(...findings.map(({ what }) => what.length));
    const lines = findings.map(({ what, state, detail, fix }) => {
      const line = `${MARKS[state]}  ${what.padEnd(width)}  ${detail}`;
      return fix === undefined ? line : `${line}\n    ${" ".repeat(width)}  -> ${fix}`;
    });
    return print(`${lines.join("\n")}\n`);
  },
});
