import { unpackRun } from "../../pretrain/index.js";
import { command } from "../command.js";
import { thousands } from "../terminal.js";

export const pretrainUnpack = command({
  name: "pretrain unpack",
  description:
    "Brings a packed run back after it was trained: its newest checkpoint and its metrics go into a run folder, and " +
    "pretrain stage1 or stage2 goes on from the very next example",
  args: {
    packed: { type: "positional", description: "The packed run, or where its --out went", required: true },
    out: { type: "string", valueHint: "DIR", description: "The run's folder; new, or of the same run", required: true },
  },
  examples: [{ does: "Into the run that it was packed from", line: "lodestone pretrain unpack packed --out runs/one" }],
  async run(args, { say, print }) {
    const { path, step, steps, before, warnings } = await unpackRun(args.packed, args.out);
    for (const warning of warnings) say(`warning: ${warning}; an older one is used`);
    const done = step === steps ? "all updates are done" : `${thousands(step)} of ${thousands(steps)} updates are done`;
    say(before === step ? `${done}; it was there already` : done);
    await print(`${path}\n`);
  },
});
