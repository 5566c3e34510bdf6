// Preloaded (`node --import`) into a child whose writes are logged (LODESTONE_WRITE_LOG): ends the process with SIGKILL
// right after the line number LODESTONE_TEST_KILL_AT of that log is written, which is right before the write happens.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const killAt = Number(process.env.LODESTONE_TEST_KILL_AT ?? 0);
const append = fs.appendFileSync;
let lines = 0;
fs.appendFileSync = (path, ...rest) => {
  append(path, ...rest);
  if (path !== process.env.LODESTONE_WRITE_LOG) return;
  lines += 1;
  if (lines === killAt) process.kill(process.pid, "SIGKILL");
};
syncBuiltinESMExports();
