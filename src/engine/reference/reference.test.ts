import { createEngine } from "../create-engine.js";
import { describeEngine } from "../contract.js";

describeEngine(createEngine("reference"));
