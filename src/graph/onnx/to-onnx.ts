import { toBytes, UserError, type Tensor } from "../../base/index.js";
import { sameShape, showShape } from "../dims.js";
import { showType, type Graph, type Value } from "../graph.js";
import type { OnnxTarget } from "./_emitter.js";
import { lowerGraph } from "./_lower.js";
import { encodeModel, type ExternalTensor } from "./_model.js";

export interface OnnxOptions {
  /** Default `standard`: ai.onnx ops only. `onnxruntime` may use what its CPU build has beyond them. */
  readonly target?: OnnxTarget;
  /** Values of states by name: they become constants of the model. States that are not here become inputs. */
  readonly weights?: Readonly<Record<string, Tensor>>;
}

/** A model whose weights lie in a second file beside it. */
export interface OnnxModelWithData {
  readonly model: Uint8Array;
  /** Offsets ascend; the space between is zeros (`externalDataParts`). */
  readonly tensors: readonly ExternalTensor[];
}

/** Protobuf readers stop at 2 GiB. */
const LARGEST_MODEL = 2 ** 31 - 1;
/** Pages: so that a reader may map the file. */
const ALIGNMENT = 4096;

/** The output under which a model gives the next value of a state. */
export function updateOutputName(state: string): string {
  return `next/${state}`;
}

/**
 * The graph as an ONNX ModelProto. Inputs of the model are the graph's inputs and the states without weights; outputs
 * are the graph's outputs and `updateOutputName(state)` for every update.
 *
 * @throws UserError `onnx.weights` if a weight does not fit its state, `onnx.size` past protobuf's 2 GiB.
 */
export function toOnnx(graph: Graph, options: OnnxOptions = {}): Uint8Array {
  const weights = usedWeights(graph, options.weights ?? {});
  const bytes = [...weights.values()].reduce((sum, tensor) => sum + toBytes(tensor).length, 0);
  if (bytes > LARGEST_MODEL) {
    throw new UserError("onnx.size", `onnx: expected weights under 2 GiB, got ${bytes} bytes`, {
      fix: "Use toOnnxWithData, which keeps them in a second file.",
    });
  }
  return encode(graph, options, weights, undefined);
}

/** As `toOnnx`, with the weights in a file called `location` beside the model. */
export function toOnnxWithData(graph: Graph, location: string, options: OnnxOptions = {}): OnnxModelWithData {
  const tensors: ExternalTensor[] = [];
  let end = 0;
  for (const [name, tensor] of usedWeights(graph, options.weights ?? {})) {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    const { length } = toBytes(tensor);
    tensors.push({ name, tensor, offset, length });
    end = offset + length;
  }
  return { model: encode(graph, options, new Map(), { location, tensors }), tensors };
}

/** The bytes of the external file, piece by piece, to be written one after the other. */
export function* externalDataParts(tensors: readonly ExternalTensor[]): Generator<Uint8Array> {
  let position = 0;
  for (const { tensor, offset, length } of tensors) {
    if (offset > position) yield new Uint8Array(offset - position);
    yield toBytes(tensor);
    position = offset + length;
  }
}

function usedWeights(graph: Graph, weights: Readonly<Record<string, Tensor>>): ReadonlyMap<string, Tensor> {
  const used = new Map<string, Tensor>();
  for (const [name, state] of graph.states) {
    const weight = weights[name];
    if (weight === undefined) continue;
    const symbolic = state.shape.some((dim) => typeof dim === "string");
    if (weight.dtype !== state.dtype || (!symbolic && !sameShape(weight.dims, state.shape))) {
      const got = `${weight.dtype}${showShape(weight.dims)}`;
      throw new UserError("onnx.weights", `onnx: expected ${showType(state)} for weight "${name}", got ${got}`);
    }
    used.set(name, weight);
  }
  return used;
}

function encode(
  graph: Graph,
  { target = "standard" }: OnnxOptions,
  weights: ReadonlyMap<string, Tensor>,
  external: { readonly location: string; readonly tensors: readonly ExternalTensor[] } | undefined,
): Uint8Array {
  const outputs = resultsOf(graph);
  const lowered = lowerGraph(graph, outputs, target);
  const fixed = new Set([...weights.keys(), ...(external?.tensors.map(({ name }) => name) ?? [])]);
  const inputs = new Map([...graph.inputs, ...graph.states].filter(([name]) => !fixed.has(name)));
  const initialisers = new Map([...weights, ...lowered.initialisers]);
  return encodeModel({ name: graph.name, nodes: lowered.nodes, initialisers, external, inputs, outputs });
}

/** Every named result; refuses names that ONNX could not tell apart. */
function resultsOf(graph: Graph): ReadonlyMap<string, Value> {
  const results = new Map(graph.outputs);
  for (const [state, value] of graph.updates) results.set(updateOutputName(state), value);
  for (const name of results.keys()) {
    if (graph.inputs.has(name) || graph.states.has(name)) {
      throw new UserError("graph.name", `onnx: output "${name}" of graph ${graph.name} has the name of an input`);
    }
  }
  return results;
}
