/** Names in a model folder. Other libraries look for them under exactly these names. */
export const FILES = {
  onnx: "model.onnx",
  /** Weights beside the ONNX file where they would not fit into one protobuf message (2 GiB). */
  onnxData: "model.onnx.data",
  weights: "model.safetensors",
  tokenizer: "tokenizer.json",
  tokenizerConfig: "tokenizer_config.json",
  config: "config.json",
  modules: "modules.json",
  sentenceBert: "sentence_bert_config.json",
  /** SHA-256 of every other file; written last, so a folder without it is not complete. */
  checksums: "checksums.json",
} as const;
