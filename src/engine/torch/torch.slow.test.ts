import { describeEngine } from "../../../test/helpers/engine-contract.js";
import { python, testWithPython } from "../../../test/helpers/requires.js";
import { createEngine } from "../index.js";

if (python === undefined) testWithPython("the contract of engines", () => undefined);
else describeEngine(createEngine("torch", { python, device: "cpu" }));
