import type { Tensor } from "../../base/index.js";
import { UserError } from "../../base/index.js";
import { toOnnx, type Graph, type TensorType } from "../../graph/index.js";
import {
  checkBatch,
  checkNames,
  checkOptions,
  checkState,
  checkWholeState,
  findProgram,
  signatureOf,
  stateTypes,
} from "../_checks.js";
import type { Engine, EngineOptions, EngineSession, ProgramSignature, Tensors } from "../engine.js";
import { TorchProcess } from "./_process.js";
import { findTorchPython } from "./_python.js";

export const PRECISIONS = ["fp32", "bf16", "fp16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** How the torch engine is set up; decides speed and precision, never which steps are taken. */
export interface TorchOptions {
  /** A Python with PyTorch. Default: `LODESTONE_PYTHON`, or what `lodestone engine torch --install` made. */
  readonly python?: string;
  /** Default `fp32`. With `bf16` and `fp16` products of matrices are in half precision (docs/engines.md). */
  readonly precision?: Precision;
  /** `auto` (a GPU where there is one, the default), `cpu`, `cuda`, `cuda:1`, `mps`. `open`'s `provider` goes first. */
  readonly device?: string;
  /** Threads on the CPU. `open`'s `threads` goes first. Default: PyTorch's. */
  readonly threads?: number;
  /** Computes the layers again in the backward pass instead of keeping what is in them: less memory, more time. */
  readonly checkpoint?: boolean;
  /** Hands the programs to `torch.compile`: the first step takes minutes, docs/log.md tells what it gains. Needs a C++ compiler on the CPU. */
  readonly compile?: boolean;
}

/**
 * PyTorch's kernels and autograd in a Python process of its own: the programs go there as ONNX, the state lives there,
 * and nothing of the model is written in Python.
 *
 * `open` throws UserError `engine.python`, `engine.torch`, `engine.precision`, `engine.compiler` besides an engine's own.
 */
export function torchEngine(defaults: TorchOptions = {}): Engine {
  return {
    name: "torch",
    async open(
      programs: Readonly<Record<string, Graph>>,
      state: Tensors,
      options: EngineOptions = {},
    ): Promise<EngineSession> {
      const types = stateTypes(programs);
      const threads = options.threads ?? defaults.threads;
      checkOptions(threads === undefined ? {} : { threads });
      const precision = checkPrecision(defaults.precision ?? "fp32");
      checkWholeState(types, state);
      const models = Object.fromEntries(
        Object.entries(programs).map(([name, graph]) => [`program/${name}`, bytes(toOnnx(graph, { target: "torch" }))]),
      );
      const signatures = Object.fromEntries(
        Object.entries(programs).map(([name, graph]) => [name, signatureOf(graph)]),
      );
      const { process } = await TorchProcess.start(findTorchPython(defaults.python));
      try {
        const { checkpoint = false, compile = false } = defaults;
        const device = options.provider ?? defaults.device ?? "auto";
        const header = {
          call: "open",
          programs: Object.keys(programs),
          device,
          threads,
          precision,
          checkpoint,
          compile,
        };
        // Programs first: states are aligned behind them as they come.
        await process.call(header, { ...used(types, state), ...models });
      } catch (error) {
        await process.close();
        throw error;
      }
      return new TorchSession(process, signatures, types);
    },
  };
}

/** A session whose work is done by a Python process. Everything is checked on this side, before it is sent. */
export class TorchSession implements EngineSession {
  constructor(
    private readonly process: TorchProcess,
    readonly programs: Readonly<Record<string, ProgramSignature>>,
    private readonly types: ReadonlyMap<string, TensorType>,
  ) {}

  /** The number of the Python process. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  async run(program: string, batch: Tensors): Promise<Record<string, Tensor>> {
    checkBatch(program, findProgram(this.programs, program), batch);
    return (await this.process.call({ call: "run", program }, batch)).tensors;
  }

  async read(names: readonly string[] = [...this.types.keys()]): Promise<Record<string, Tensor>> {
    checkNames(this.types, names);
    return (await this.process.call({ call: "read", names })).tensors;
  }

  async write(state: Tensors): Promise<void> {
    checkState("write", this.types, state);
    await this.process.call({ call: "write" }, state);
  }

  close(): Promise<void> {
    return this.process.close();
  }
}

function checkPrecision(precision: Precision): Precision {
  if (PRECISIONS.includes(precision)) return precision;
  throw new UserError(
    "engine.precision",
    `precision: expected one of ${PRECISIONS.join(", ")}, got "${String(precision)}"`,
  );
}

/** The state in the order of its declaration. */
function used(types: ReadonlyMap<string, TensorType>, state: Tensors): Record<string, Tensor> {
  return Object.fromEntries([...types.keys()].map((name) => [name, state[name]!]));
}

function bytes(data: Uint8Array): Tensor {
  return { dtype: "uint8", dims: [data.length], data };
}
