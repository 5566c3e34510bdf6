import { createEngine } from "../create-engine.js";
import { describeEngine } from "../../../test/helpers/engine-contract.js";

describeEngine(createEngine("onnxruntime"));
