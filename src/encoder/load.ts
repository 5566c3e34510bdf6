import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, readSafetensors, UserError, type Tensor } from "../base/index.js";
import { openOnnxFile, type EngineOptions } from "../engine/index.js";
import type { ModelConfig } from "../model/index.js";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.js";
import { readChecksums, verifyFile, type Checksums } from "./_checksums.js";
import { FORMAT, type LodestoneSection } from "./_configs.js";
import { FILES } from "./_files.js";
import { COMPACT, expandCompact } from "./compact.js";
import { Encoder } from "./encoder.js";
import { pickWeights, type EncoderParts } from "./save.js";
import { defaultModel } from "./shipped.js";
import { isStatic, StaticEncoder, type Embedder } from "./static.js";

export interface LoadEncoderOptions extends EngineOptions {
  /** A tokenizer to use instead of the folder's; it must be the one that the model was trained with. */
  readonly tokenizer?: Tokenizer;
}

/**
 * Opens a model folder for embedding. Each file is compared with its checksum before it is used; files that embedding
 * does not need are not read.
 *
 * @throws UserError `model.missing`, `model.missing-file`, `model.corrupt`, `model.config`, `model.wrong-tokenizer`,
 * `engine.provider`, `engine.threads`
 */
export async function loadEncoder(folder: string, options: LoadEncoderOptions = {}): Promise<Encoder> {
  const sums = await readChecksums(folder);
  const { model, tokenizer: hash } = await readSection(folder, sums);
  const { tokenizer: given, ...engineOptions } = options;
  const opening = openModel(folder, sums, engineOptions); // In its own thread, while the tokenizer loads in this one.
  opening.catch(() => undefined); // It may fail before it is awaited; it is told then.
  try {
    const tokenizer = given ?? (await readTokenizer(folder, sums, hash));
    if (tokenizer.hash !== hash) throw wrongTokenizer(folder, hash, tokenizer.hash);
    return new Encoder(model, tokenizer, await opening, "main");
  } catch (error) {
    await opening.then(
      (session) => session.close(),
      () => undefined,
    );
    throw error;
  }
}

/**
 * Opens a model folder for embedding in the way that suits it: a static bag without an engine, others by
 * {@link loadEncoder}.
 *
 * @param folder the encoder that comes with the package, if not given
 * @throws UserError `model.not-shipped`, and as {@link loadEncoder}
 */
export async function openEncoder(
  folder: string = defaultModel(),
  options: LoadEncoderOptions = {},
): Promise<Embedder> {
  const sums = await readChecksums(folder);
  const section = await readSection(folder, sums);
  if (!isStatic(section.model)) {
    if (sums[FILES.onnx] !== undefined) return loadEncoder(folder, options);
    const { encoderFromState } = await import("./from-state.js");
    return encoderFromState(await readEncoder(folder), options); // Weights alone: the graph is built here.
  }
  const read = await readFolder(folder, sums, section);
  const { config, tokenizer, tensors } = read;
  const { [COMPACT.table]: table, [COMPACT.scale]: scale } = tensors;
  const fits = table?.dims[0] === config.vocabSize && table.dims[1] === config.width && scale !== undefined;
  // Where every token weighs the same, a compact file's bytes are used as they are.
  if (!fits || config.pooling !== "mean" || config.finalNorm) return new StaticEncoder(await partsOf(read));
  const stored = { bytes: table.data as Uint8Array, scales: scale.data as Float32Array };
  return new StaticEncoder({ config, tokenizer, weights: {} }, stored);
}

/**
 * Reads a model folder as parts, weights under GPT-2's names: what training continues from.
 *
 * @throws UserError as {@link loadEncoder}
 */
export async function readEncoder(folder: string): Promise<EncoderParts> {
  const sums = await readChecksums(folder);
  return partsOf(await readFolder(folder, sums, await readSection(folder, sums)));
}

interface ReadFolder extends Omit<EncoderParts, "weights"> {
  /** As the file names them. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

async function readFolder(folder: string, sums: Checksums, section: Section): Promise<ReadFolder> {
  const { model, tokenizer: hash, matryoshka } = section;
  const tokenizer = await readTokenizer(folder, sums, hash);
  await verifyFile(folder, FILES.weights, sums);
  const [{ tensors }, { parseModelConfig }] = await Promise.all([
    readSafetensors(join(folder, FILES.weights)),
    import("../model/index.js"),
  ]);
  return { config: parseModelConfig(model, join(folder, FILES.config)), tensors, tokenizer, matryoshka };
}

async function partsOf({ tensors, ...rest }: ReadFolder): Promise<EncoderParts> {
  const [{ parameterShapes }, { fitsTransformers, fromTransformers }] = await Promise.all([
    import("../model/index.js"),
    import("./_transformers.js"),
  ]);
  const { expandHalf } = await import("./half.js");
  const isTheirs = "embeddings.word_embeddings.weight" in tensors && fitsTransformers(rest.config);
  const named = isTheirs ? fromTransformers(rest.config, tensors) : expandHalf(expandCompact(tensors));
  return { ...rest, weights: pickWeights(parameterShapes(rest.config), named) };
}

async function openModel(
  folder: string,
  sums: Checksums,
  options: EngineOptions,
): Promise<Awaited<ReturnType<typeof openOnnxFile>>> {
  await verifyFile(folder, FILES.onnx, sums);
  if (sums[FILES.onnxData] !== undefined) await verifyFile(folder, FILES.onnxData, sums);
  return openOnnxFile(join(folder, FILES.onnx), options);
}

/** The folder's tokenizer. A readable one that is not the model's is told apart from a broken file. */
async function readTokenizer(folder: string, sums: Checksums, hash: string): Promise<Tokenizer> {
  try {
    await verifyFile(folder, FILES.tokenizer, sums);
    await verifyFile(folder, FILES.tokenizerConfig, sums);
  } catch (error) {
    const other = await loadTokenizer(folder).catch(() => undefined);
    throw other === undefined || other.hash === hash ? error : wrongTokenizer(folder, hash, other.hash);
  }
  return loadTokenizer(folder, { trusted: true });
}

function wrongTokenizer(folder: string, expected: string, got: string): UserError {
  return new UserError(
    "model.wrong-tokenizer",
    `${join(folder, FILES.tokenizer)}: expected the tokenizer that the model was trained with (SHA-256 ${expected}), got ${got}`,
    { fix: "Put the model's own tokenizer.json back: with another one every vector would be wrong" },
  );
}

/** The `lodestone` section of `config.json`. Its checksum vouches for the values, so they are not validated again. */
type Section = LodestoneSection & { model: ModelConfig };

async function readSection(folder: string, sums: Checksums): Promise<Section> {
  const path = join(folder, FILES.config);
  await verifyFile(folder, FILES.config, sums);
  let section: LodestoneSection | undefined;
  try {
    section = (JSON.parse(await readFile(path, "utf8")) as { lodestone?: LodestoneSection }).lodestone;
  } catch (error) {
    throw new UserError("model.config", `${path}: expected JSON, but ${messageOf(error)}`, { cause: error });
  }
  if (section?.format === FORMAT) return section;
  throw new UserError(
    "model.config",
    `${path}: expected a "lodestone" section of format ${FORMAT}, got ${section === undefined ? "none" : `format ${section.format}`}`,
    { fix: "Use a folder written by this version, or update lodestone" },
  );
}
