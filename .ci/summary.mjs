// Reads vitest's JSON report and prints the closing line. Arguments: the report, the number of steps that failed.
// Exit code 0 only where every step passed, at least one test ran, and none failed or was skipped.
import { readFileSync } from "node:fs";

const [, , path, steps] = process.argv;
const failedSteps = Number(steps);
const report = read(path);
const count = (status) => report.testResults.flatMap((file) => file.assertionResults).filter(status).length;
const passed = count(({ status }) => status === "passed");
const failed = count(({ status }) => status === "failed");
const other = count(({ status }) => status !== "passed" && status !== "failed");
// A file that could not be loaded has no tests of its own to count.
const broken = report.testResults.filter(
  (file) => file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed"),
).length;

if (other > 0) console.log(`${other} skipped tests count as failed`);
if (broken > 0) console.log(`${broken} test files that failed outside their tests count as one failure each`);
// A failed `tests` step whose reason is already counted is not counted again.
const counted = failed + other + broken;
const ownSteps = Math.max(0, failedSteps - (failed + broken > 0 ? 1 : 0));
const failures = counted + ownSteps;
console.log(`${passed} passed, ${failures} failed`);
process.exit(failures === 0 && passed > 0 ? 0 : 1);

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.log(`no test report: ${error.message}`);
    return { testResults: [] };
  }
}
