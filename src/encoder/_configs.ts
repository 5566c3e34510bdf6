import type { Tensor } from "../base/index.js";
import { countsAll, type ModelConfig } from "../model/index.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { fitsTransformers, transformersConfig } from "./_transformers.js";

/** Rises when a folder written earlier can no longer be read. */
export const FORMAT = 1;

/** What `config.json` holds under `lodestone`: all that is needed to build the model again. */
export interface LodestoneSection {
  readonly format: number;
  readonly model: ModelConfig;
  /** SHA-256 of the `tokenizer.json` that the model was trained with. */
  readonly tokenizer: string;
  /** Lengths that the vectors were trained to be cut to; absent where they were trained whole alone. */
  readonly matryoshka?: readonly number[];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * `config.json`: dimensions under the names that transformers uses, and the whole config as our own section. A model
 * that transformers has no architecture for names one of its own, so that it is refused there instead of misread.
 */
export function configText(model: ModelConfig, tokenizer: Tokenizer, matryoshka?: readonly number[]): string {
  const trained = matryoshka === undefined ? {} : { matryoshka };
  const section: LodestoneSection = { format: FORMAT, model, tokenizer: tokenizer.hash, ...trained };
  return json({
    ...(fitsTransformers(model)
      ? transformersConfig(model)
      : { model_type: "lodestone", max_position_embeddings: model.maxLength }),
    hidden_size: model.width,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    intermediate_size: 4 * model.width,
    hidden_act: model.gelu === "tanh" ? "gelu_new" : "gelu",
    layer_norm_eps: model.layerNormEps,
    vocab_size: model.vocabSize,
    pad_token_id: model.padId,
    eos_token_id: model.eosId,
    mask_token_id: model.maskId,
    lodestone: section,
  });
}

/**
 * sentence-transformers' description of what follows the encoder, by file name. Its modules pool `last_hidden_state`, so
 * poolings that they cannot express (a learned query, occurrences that count differently, states before the last LayerNorm) get no description: a folder
 * that does not load is better than one that gives other vectors. Every pooling is inside the ONNX file.
 */
export function sentenceTransformersTexts(
  model: ModelConfig,
  weights: Readonly<Record<string, Tensor>>,
  tokenizer: Tokenizer,
): Record<string, string> {
  const plain = model.pooling !== "attention" && countsAll(model);
  const expressible = plain && (model.poolStates === "final" || !model.finalNorm);
  if (!expressible) return {};
  const modules = [{ folder: "", type: "sentence_transformers.models.Transformer" }];
  const files: Record<string, string> = {};
  const add = (kind: string, config?: unknown): void => {
    const folder = `${modules.length}_${kind}`;
    modules.push({ folder, type: `sentence_transformers.models.${kind}` });
    if (config !== undefined) files[`${folder}/config.json`] = json(config);
  };
  if (model.pooling === "weighted") add("WordWeights", wordWeights(model, weights, tokenizer));
  add("Pooling", {
    word_embedding_dimension: model.width,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  });
  add("Normalize", {});
  files["modules.json"] = json(
    modules.map(({ folder, type }, idx) => ({ idx, name: String(idx), path: folder, type })),
  );
  files["sentence_bert_config.json"] = json({ max_seq_length: model.maxLength, do_lower_case: false });
  return files;
}

/** softplus of the learned weight of each token id. Unused ids are named by number, since names must be distinct. */
function wordWeights(
  model: ModelConfig,
  weights: Readonly<Record<string, Tensor>>,
  tokenizer: Tokenizer,
): { vocab: string[]; word_weights: Record<string, number>; unknown_word_weight: number } {
  const raw = weights["pool.token_weight.weight"]!.data as Float32Array; // [V]
  const vocab = Array.from({ length: model.vocabSize }, (_, id) => tokenizer.tokenOf(id) ?? `<unused ${id}>`);
  const entries = vocab.map((token, id) => [token, Math.log1p(Math.exp(-Math.abs(raw[id]!))) + Math.max(raw[id]!, 0)]);
  return { vocab, word_weights: Object.fromEntries(entries) as Record<string, number>, unknown_word_weight: 1 };
}
