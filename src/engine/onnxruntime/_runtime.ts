import * as ort from "onnxruntime-node";
import { UserError, internalError, messageOf, type DType, type Tensor } from "../../base/index.js";
import type { TensorType } from "../../graph/index.js";
import type { Tensors } from "../engine.js";
import type { FileSignature, ProgramModel, RuntimeOptions } from "./_protocol.js";
import { checkProvider, firstLine, providerFailed } from "./_providers.js";

interface Program {
  readonly session: ort.InferenceSession;
  readonly states: readonly string[];
  readonly outputs: readonly string[];
  readonly updates: Readonly<Record<string, string>>;
}

const DTYPES: readonly string[] = ["float32", "float16", "int32", "int64", "bool", "uint8"] satisfies DType[];

/** What lives in the worker: ONNX Runtime sessions and the state that they share. */
export class Runtime {
  readonly #programs = new Map<string, Program>();
  readonly #state = new Map<string, ort.Tensor>();

  /**
   * Makes sessions of our own graphs. ONNX Runtime's graph optimisations stay off: the lowering has chosen layouts and
   * fusions already, and its rewriting undoes some of them (an explicit transpose before a product, cheaper than the
   * product's own, is folded back into it).
   */
  async openPrograms(programs: readonly ProgramModel[], state: Tensors, options: RuntimeOptions): Promise<undefined> {
    checkProvider(options.provider);
    for (const { name, model, states, outputs, updates } of programs) {
      const session = await create(model, options, "disabled", (error) => {
        return internalError(`program "${name}" does not load: ${firstLine(messageOf(error))}`, error);
      });
      this.#programs.set(name, { session, states, outputs, updates });
    }
    this.write(state);
    return undefined;
  }

  /** Makes a session of an ONNX file (external data lies beside it) or of a model's bytes: the program `main`. */
  async openFile(file: string | Uint8Array, options: RuntimeOptions): Promise<FileSignature> {
    checkProvider(options.provider);
    const where = typeof file === "string" ? file : "the model";
    const session = await create(file, options, "all", (error) => {
      const came = firstLine(messageOf(error));
      return new UserError("engine.model", `${where}: expected an ONNX model, got: ${came}`, { cause: error });
    });
    this.#programs.set("main", { session, states: [], outputs: [...session.outputNames], updates: {} });
    return { inputs: typesOf(session.inputMetadata, where), outputs: typesOf(session.outputMetadata, where) };
  }

  async run(name: string, batch: Tensors): Promise<Record<string, Tensor>> {
    const program = this.#programs.get(name);
    if (program === undefined) throw internalError(`no program "${name}" in the worker`);
    const feeds: Record<string, ort.Tensor> = {};
    for (const state of program.states) feeds[state] = this.#state.get(state)!;
    for (const [input, value] of Object.entries(batch)) feeds[input] = toOrt(value);
    let results: ort.InferenceSession.OnnxValueMapType;
    try {
      results = await program.session.run(feeds);
    } catch (error) {
      const came = firstLine(messageOf(error));
      throw new UserError("engine.run", `program "${name}": expected it to run, got: ${came}`, { cause: error });
    }
    // Every result is a new tensor, so the state that was fed is whole until here: a failed run changes nothing.
    for (const [state, output] of Object.entries(program.updates))
      this.#state.set(state, results[output] as ort.Tensor);
    return Object.fromEntries(program.outputs.map((output) => [output, fromOrt(results[output] as ort.Tensor)]));
  }

  /** Copies: the next run may come before the receiver is done. */
  read(names: readonly string[]): Record<string, Tensor> {
    return Object.fromEntries(
      names.map((name) => {
        const value = fromOrt(this.#state.get(name)!);
        return [name, { ...value, data: value.data.slice() } as Tensor];
      }),
    );
  }

  write(state: Tensors): undefined {
    for (const [name, value] of Object.entries(state)) this.#state.set(name, toOrt(value));
    return undefined;
  }

  async close(): Promise<undefined> {
    for (const { session } of this.#programs.values()) await session.release();
    this.#programs.clear();
    this.#state.clear();
    return undefined;
  }
}

async function create(
  model: string | Uint8Array,
  { threads, provider }: RuntimeOptions,
  graphOptimizationLevel: "disabled" | "all",
  invalid: (error: unknown) => Error,
): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    graphOptimizationLevel,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    // Fatal ones only: the rest would go straight to standard error, which belongs to the edges, and errors are thrown too.
    logSeverityLevel: 4,
    // Between runs the cores belong to whoever prepares the next batch.
    extra: { session: { force_spinning_stop: "1" } },
  };
  const start = (settings: ort.InferenceSession.SessionOptions): Promise<ort.InferenceSession> =>
    typeof model === "string"
      ? ort.InferenceSession.create(model, settings)
      : ort.InferenceSession.create(model, settings);
  try {
    return await start(options);
  } catch (error) {
    if (provider === "cpu") throw invalid(error);
    // Model or device? What the CPU loads is no fault of the model.
    const plain = await start({ ...options, executionProviders: ["cpu"] }).catch(() => undefined);
    if (plain === undefined) throw invalid(error);
    await plain.release();
    throw providerFailed(provider, error);
  }
}

function toOrt({ dtype, data, dims }: Tensor): ort.Tensor {
  return new ort.Tensor(dtype, data, dims);
}

function fromOrt(value: ort.Tensor): Tensor {
  return { dtype: value.type as DType, dims: value.dims, data: value.data as never };
}

function typesOf(metadata: readonly ort.InferenceSession.ValueMetadata[], where: string): Record<string, TensorType> {
  return Object.fromEntries(
    metadata.map((value) => {
      if (!value.isTensor || !DTYPES.includes(value.type)) {
        const came = value.isTensor ? value.type : "no tensor";
        throw new UserError(
          "engine.model",
          `${where}: expected "${value.name}" to be of ${DTYPES.join(", ")}, got ${came}`,
        );
      }
      return [value.name, { dtype: value.type as DType, shape: value.shape.map(symbol) }];
    }),
  );
}

/** Foreign files name dimensions as they like ("batch size", "", "N + 1"); each distinct name is one symbol. */
function symbol(dim: number | string): number | string {
  return typeof dim === "number" ? dim : `_${dim.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
}
