import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { LANGUAGES, readJsonl, sha256, UserError, type Language } from "../../base/index.js";
import { extractFunctions, loadLanguages } from "../../languages/index.js";
import { hashSequence, keyOf } from "./_hash.js";
import { BANDS, PERMUTATIONS, signatureOf, similarity, type Signature } from "./_minhash.js";
import { anonymous, bodyStart, tokenHashes } from "./_tokens.js";

/** Codes with fewer tokens say too little for their kind of match. */
const MIN_EXACT = 10;
const MIN_NEAR = 16;
const MIN_ANONYMOUS = 40;

/** What workers are told of the excluded sets: plain arrays, so that threads can share them. */
export interface ExclusionData {
  readonly sets: readonly { readonly name: string; readonly texts: number }[];
  /** Keys of whole codes, ascending with their sets: with and without comments, and with names taken away. */
  readonly exactKeys: Float64Array;
  readonly exactSets: Uint8Array;
  readonly anonymousKeys: Float64Array;
  readonly anonymousSets: Uint8Array;
  /** Near duplicates: {@link PERMUTATIONS} bytes and 2 {@link BANDS} halves for each text. */
  readonly signatures: Uint8Array;
  readonly bands: Uint32Array;
  readonly signatureSets: Uint8Array;
  readonly threshold: number;
  /** Hash of all that was read. */
  readonly hash: string;
}

/** Nothing is excluded. */
export const NO_EXCLUSION: ExclusionData = {
  sets: [],
  exactKeys: new Float64Array(0),
  exactSets: new Uint8Array(0),
  anonymousKeys: new Float64Array(0),
  anonymousSets: new Uint8Array(0),
  signatures: new Uint8Array(0),
  bands: new Uint32Array(0),
  signatureSets: new Uint8Array(0),
  threshold: 1,
  hash: "",
};

/**
 * Reads evaluation sets: the texts of `corpus.jsonl`, `queries.jsonl`, `train.jsonl` and `test.jsonl` in each folder
 * (`{text, lang?}` a line). A text is remembered as it is, without its comments, and function by function.
 *
 * @throws UserError `corpus.exclude` for a folder without such files, `jsonl.*`
 */
export async function readExclusion(folders: readonly string[], threshold: number): Promise<ExclusionData> {
  if (folders.length === 0) return NO_EXCLUSION;
  if (folders.length > 255)
    throw new UserError("corpus.exclude", `exclude: expected at most 255 sets, got ${folders.length}`);
  await loadLanguages(LANGUAGES);
  const exact = new Map<number, number>();
  const anonymousCodes = new Map<number, number>();
  const bytes: Uint8Array[] = [];
  const bands: Uint32Array[] = [];
  const signatureSets: number[] = [];
  const sets: { name: string; texts: number }[] = [];
  const hashes: string[] = [];
  for (const [set, folder] of folders.entries()) {
    let texts = 0;
    const add = (code: string, lang: Language, isWhole: boolean): void => {
      const forms = formsOf(code, lang);
      for (const tokens of forms.exact) {
        if (tokens.length >= (isWhole ? MIN_EXACT : 2 * MIN_EXACT)) addKey(exact, keyOf(hashSequence(tokens)), set);
      }
      if (forms.anonymous !== undefined) addKey(anonymousCodes, keyOf(hashSequence(forms.anonymous)), set);
      if (forms.exact[0]!.length < MIN_NEAR) return;
      const signature = signatureOf(forms.exact[0]!)!;
      bytes.push(signature.bytes);
      bands.push(signature.bands);
      signatureSets.push(set);
    };
    for (const file of await setFiles(folder)) {
      hashes.push(sha256(await readFile(file)));
      for await (const value of readJsonl(file)) {
        const { text, lang } = value as { text?: unknown; lang?: unknown };
        if (typeof text !== "string") continue;
        texts += 1;
        // Queries in plain words have no language, or their code's; as tokens they match no code.
        const language = LANGUAGES.find((one) => one === lang) ?? "python";
        add(text, language, true);
        for (const found of extractFunctions(text, language)) if (found.code !== text) add(found.code, language, false);
      }
    }
    sets.push({ name: basename(resolve(folder)), texts });
  }
  return {
    sets,
    ...sorted("exact", exact),
    ...sorted("anonymous", anonymousCodes),
    signatures: Uint8Array.from(
      { length: bytes.length * PERMUTATIONS },
      (_, i) => bytes[Math.floor(i / PERMUTATIONS)]![i % PERMUTATIONS]!,
    ),
    bands: Uint32Array.from(
      { length: bands.length * 2 * BANDS },
      (_, i) => bands[Math.floor(i / (2 * BANDS))]![i % (2 * BANDS)]!,
    ),
    signatureSets: Uint8Array.from(signatureSets),
    threshold,
    hash: sha256(hashes.join("\n")),
  };
}

const SET_FILES = ["corpus.jsonl", "queries.jsonl", "train.jsonl", "test.jsonl"];

async function setFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const found = SET_FILES.filter((name) => names.includes(name)).map((name) => join(folder, name));
  if (found.length > 0) return found;
  throw new UserError(
    "corpus.exclude",
    `exclude: expected ${SET_FILES.join(", ")} or some of them in ${folder}, got none`,
    {
      fix: "Name the folders of evaluation sets",
    },
  );
}

function addKey(keys: Map<number, number>, key: number, set: number): void {
  if (!keys.has(key)) keys.set(key, set);
}

function sorted<N extends "exact" | "anonymous">(
  name: N,
  keys: ReadonlyMap<number, number>,
): { [K in `${N}Keys`]: Float64Array } & { [K in `${N}Sets`]: Uint8Array } {
  const ordered = Float64Array.from(keys.keys()).sort();
  const sets = Uint8Array.from(ordered, (key) => keys.get(key)!);
  return { [`${name}Keys`]: ordered, [`${name}Sets`]: sets } as never;
}

interface Forms {
  /** Tokens without comments, then with them where there are any. */
  readonly exact: readonly [Uint32Array, ...Uint32Array[]];
  /** From the parameters or the body on, names taken away; undefined where that is short. */
  readonly anonymous: Uint32Array | undefined;
}

function formsOf(code: string, lang: Language, bare: Uint32Array = tokenHashes(code, lang)): Forms {
  const all = tokenHashes(code, lang, true);
  const rest = bare.subarray(bodyStart(bare, lang));
  return {
    exact: all.length === bare.length ? [bare] : [bare, all],
    anonymous: rest.length >= MIN_ANONYMOUS ? anonymous(rest) : undefined,
  };
}

/** Looks codes up among the excluded sets. */
export class Exclusion {
  private readonly exact: ReadonlyMap<number, number>;
  private readonly anonymous: ReadonlyMap<number, number>;
  /** Texts by band and band hash. */
  private readonly buckets = new Map<number, number[]>();

  constructor(private readonly data: ExclusionData) {
    this.exact = new Map(Array.from(data.exactKeys, (key, i) => [key, data.exactSets[i]!]));
    this.anonymous = new Map(Array.from(data.anonymousKeys, (key, i) => [key, data.anonymousSets[i]!]));
    for (let text = 0; text < data.signatureSets.length; text++) {
      for (let band = 0; band < BANDS; band++) {
        const key = this.bucket(data.bands, 2 * (text * BANDS + band), band);
        const bucket = this.buckets.get(key);
        if (bucket === undefined) this.buckets.set(key, [text]);
        else bucket.push(text);
      }
    }
  }

  /** Whether there is nothing to look for. */
  get isEmpty(): boolean {
    return this.data.sets.length === 0;
  }

  /**
   * Index of the set that holds this code, or one like it; -1 if none does. `bare` are its tokens without comments,
   * `signature` gives theirs.
   */
  find(code: string, lang: Language, bare: Uint32Array, signature: () => Signature | undefined): number {
    if (this.isEmpty || bare.length < MIN_EXACT) return -1;
    const forms = formsOf(code, lang, bare);
    for (const tokens of forms.exact) {
      const set = this.exact.get(keyOf(hashSequence(tokens)));
      if (set !== undefined) return set;
    }
    if (forms.anonymous !== undefined) {
      const set = this.anonymous.get(keyOf(hashSequence(forms.anonymous)));
      if (set !== undefined) return set;
    }
    return bare.length < MIN_NEAR ? -1 : this.findNear(signature()!);
  }

  private findNear({ bands, bytes }: Signature): number {
    const { signatures, signatureSets, threshold } = this.data;
    for (let band = 0; band < BANDS; band++) {
      for (const text of this.buckets.get(this.bucket(bands, 2 * band, band)) ?? []) {
        if (similarity(bytes, signatures, 0, text * PERMUTATIONS) >= threshold) return signatureSets[text]!;
      }
    }
    return -1;
  }

  private bucket(halves: Uint32Array, at: number, band: number): number {
    return keyOf({ hi: halves[at]! ^ (band * 0x9e3779b1), lo: halves[at + 1]! });
  }
}
