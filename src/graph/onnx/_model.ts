import { toBytes, type Tensor } from "../../base/index.js";
import type { TensorType } from "../graph.js";
import { LODESTONE, MICROSOFT, ONNX_TYPES, type Attribute, type OnnxNode } from "./_emitter.js";
import { ProtoWriter } from "./_protobuf.js";

/**
 * Version of the ai.onnx operators: 21 has everything we emit, and every ONNX Runtime since 1.18, onnxruntime-web and
 * transformers.js read it.
 */
export const OPSET = 21;
/** The IR version that came with opset 21. */
export const IR_VERSION = 10;

/** Where a tensor lies in the external file. */
export interface ExternalTensor {
  readonly name: string;
  readonly tensor: Tensor;
  readonly offset: number;
  readonly length: number;
}

export interface ModelParts {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: ReadonlyMap<string, Tensor>;
  readonly external: { readonly location: string; readonly tensors: readonly ExternalTensor[] } | undefined;
  readonly inputs: ReadonlyMap<string, TensorType>;
  readonly outputs: ReadonlyMap<string, TensorType>;
}

/** A ModelProto. Field numbers are those of onnx.proto (github.com/onnx/onnx, IR version 10). */
export function encodeModel(parts: ModelParts): Uint8Array {
  const domains = new Set(["", ...parts.nodes.map((node) => node.domain)]);
  const model = new ProtoWriter().integer(1, IR_VERSION).string(2, "lodestone");
  model.message(7, encodeGraph(parts));
  for (const domain of ["", MICROSOFT, LODESTONE]) {
    if (!domains.has(domain)) continue;
    model.message(8, new ProtoWriter().string(1, domain).integer(2, domain === "" ? OPSET : 1));
  }
  return model.finish();
}

function encodeGraph(parts: ModelParts): ProtoWriter {
  const graph = new ProtoWriter();
  for (const node of parts.nodes) graph.message(1, encodeNode(node));
  graph.string(2, parts.name);
  for (const [name, tensor] of parts.initialisers) {
    graph.message(5, tensorHeader(name, tensor).bytes(9, toBytes(tensor)));
  }
  for (const { name, tensor, offset, length } of parts.external?.tensors ?? []) {
    const entries = { location: parts.external!.location, offset, length };
    const message = tensorHeader(name, tensor);
    for (const [key, value] of Object.entries(entries)) {
      message.message(13, new ProtoWriter().string(1, key).string(2, String(value)));
    }
    graph.message(5, message.integer(14, 1));
  }
  for (const [name, type] of parts.inputs) graph.message(11, encodeType(name, type));
  for (const [name, type] of parts.outputs) graph.message(12, encodeType(name, type));
  return graph;
}

function encodeNode(node: OnnxNode): ProtoWriter {
  const message = new ProtoWriter();
  for (const input of node.inputs) message.string(1, input);
  for (const output of node.outputs) message.string(2, output);
  message.string(3, node.name).string(4, node.opType);
  for (const [name, value] of Object.entries(node.attributes)) message.message(5, encodeAttribute(name, value));
  return node.domain === "" ? message : message.string(7, node.domain);
}

/** AttributeProto; the type numbers are FLOAT 1, INT 2, STRING 3, INTS 7. */
function encodeAttribute(name: string, value: Attribute): ProtoWriter {
  const message = new ProtoWriter().string(1, name);
  if (typeof value === "number") return message.integer(3, value).integer(20, 2);
  if (typeof value === "string") return message.string(4, value).integer(20, 3);
  if ("float" in value) return message.float(2, value.float).integer(20, 1);
  for (const item of value) message.integer(8, item);
  return message.integer(20, 7);
}

function tensorHeader(name: string, tensor: Tensor): ProtoWriter {
  const message = new ProtoWriter();
  for (const dim of tensor.dims) message.integer(1, dim);
  return message.integer(2, ONNX_TYPES[tensor.dtype]).string(8, name);
}

/** ValueInfoProto; symbolic dimensions become `dim_param`. */
function encodeType(name: string, { dtype, shape }: TensorType): ProtoWriter {
  const dims = new ProtoWriter();
  for (const dim of shape) {
    const message = new ProtoWriter();
    dims.message(1, typeof dim === "number" ? message.integer(1, dim) : message.string(2, dim));
  }
  const tensorType = new ProtoWriter().integer(1, ONNX_TYPES[dtype]).message(2, dims);
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensorType));
}
