import { messageOf, sha256, type Language } from "../../base/index.js";
import { extractFunctions, languageOfPath, loadLanguage, type ExtractedFunction } from "../../languages/index.js";
import { candidate, cutLicence, excludedByText } from "../filters/index.js";
import type { DroppedSample } from "../types.js";
import type { Batch, DocumentRecord, Examined, PairRecord, PartLanguage, RecordIndex } from "./_batch.js";
import type { SourceItem } from "../sources/types.js";
import type { Exclusion } from "./_exclusion.js";
import { drawOf, hashSequence, hashText, keyOf } from "./_hash.js";
import { signatureOf, type Signature } from "./_minhash.js";
import { Samples } from "./_samples.js";
import { tokenHashes } from "./_tokens.js";

/** The settings of the config that a worker needs. */
export interface ExamineOptions {
  readonly minTokens: number;
  readonly maxTokens: number;
  /** Probability that the code of a pair keeps its documentation. */
  readonly keepDocstring: number;
  readonly seed: number;
}

/** Characters of a documentation that a record keeps. */
const DOCSTRING_CHARACTERS = 2_000;
const SIGNATURE_CHARACTERS = 1_000;

/** A file that holds an excluded function of at least so many tokens is left out whole; `int size() { return n; }` is anyone's. */
const DOCUMENT_TOKENS = 30;

/** Refuses what is not UTF-8 instead of replacing it, and takes a byte order mark off. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Everything that is done to a file by itself: decoding, filters, parsing, functions, summaries, hashes. `at` is called
 * with the place of each item before it is looked at, so that a thread that dies or hangs can be told by its last one;
 * `poison` are items that earlier attempts died of.
 */
export async function examine(
  batch: Batch,
  options: ExamineOptions,
  exclusion: Exclusion,
  at: (item: number) => void = () => undefined,
  poison: ReadonlyMap<number, string> = new Map(),
): Promise<Examined> {
  const examiner = new Examiner(batch, options, exclusion);
  for (const [i, item] of batch.items.entries()) {
    at(i);
    const reason = poison.get(i);
    if (reason !== undefined) examiner.skip(item, reason);
    else await examiner.add(item);
  }
  return examiner.finish();
}

class Examiner {
  private readonly found: Examined;
  private readonly samples = new Samples();
  private readonly origins = new Map<string, number>();

  constructor(
    batch: Batch,
    private readonly options: ExamineOptions,
    private readonly exclusion: Exclusion,
  ) {
    const skippedFiles: Record<string, number> = { ...batch.refused };
    for (const { reason } of batch.skipped) skippedFiles[reason] = (skippedFiles[reason] ?? 0) + 1;
    this.found = {
      source: batch.source,
      number: batch.number,
      items: batch.items.length,
      bytes: batch.items.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      languages: {},
      skippedFiles,
      skipped: [...batch.skipped],
      failures: batch.failures,
      excluded: {},
      origins: [],
      pairs: [],
      documents: [],
      samples: [],
    };
  }

  finish(): Examined {
    this.found.samples.push(...this.samples.list());
    return this.found;
  }

  /** Counts an item that is passed over; those that something is wrong with are named. */
  skip({ origin, path }: SourceItem, reason: string, text?: string, detail?: string): void {
    const { skippedFiles, skipped } = this.found;
    skippedFiles[reason] = (skippedFiles[reason] ?? 0) + 1;
    if (text === undefined) skipped.push({ origin, path, reason, ...(detail === undefined ? {} : { detail }) });
    const sample = (): DroppedSample => ({ origin, path, ...(text === undefined ? {} : { text: text.slice(0, 600) }) });
    this.samples.offer(undefined, reason, keyOf(hashText(`${origin}\n${path}`)), sample);
  }

  async add(item: SourceItem): Promise<void> {
    const lang = item.lang ?? languageOfPath(item.path);
    if (lang === undefined) return;
    let text: string;
    try {
      text = UTF8.decode(item.bytes);
    } catch {
      this.skip(item, "not-utf8");
      return;
    }
    const reason = excludedByText(text, lang);
    if (reason !== undefined) {
      this.skip(item, reason, reason === "binary" ? undefined : text);
      return;
    }
    await loadLanguage(lang);
    try {
      if (item.kind === "file") this.addFile(item, lang, text);
      else this.addFunction(item, lang, text);
    } catch (error) {
      // A grammar may run out of WebAssembly memory on one file; the others are still worth having.
      if (!/memory|wasm|unreachable|RuntimeError/i.test(messageOf(error))) throw error;
      this.skip(item, "parser", undefined, messageOf(error).slice(0, 200));
    }
  }

  private addFile(item: SourceItem, lang: Language, text: string): void {
    const functions = extractFunctions(text, lang);
    const counts = this.language(lang);
    counts.files += 1;
    counts.characters += text.length;
    const content = cutLicence(text, lang);
    const tokens = new Tokens(content, lang);
    const documentSet = this.find(content, lang, tokens);
    const pairs: { found: ExtractedFunction; tokens: Tokens; set: number }[] = [];
    let set = documentSet;
    for (const found of functions) {
      const own = new Tokens(found.code, lang);
      const match = this.find(found.code, lang, own);
      if (match >= 0) {
        this.hits(match)[0] += 1;
        if (own.hashes.length >= DOCUMENT_TOKENS) set = match;
      }
      pairs.push({ found, tokens: own, set: match >= 0 ? match : documentSet });
    }
    const document = this.addDocument(item, lang, content, tokens, set);
    for (const pair of pairs) this.consider(item, lang, text, pair.found, pair.tokens, pair.set, document);
  }

  /** Adds the file as a document; its index in the part, -1 where it is left out. */
  private addDocument(item: SourceItem, lang: Language, content: string, tokens: Tokens, set: number): number {
    const { origin, version, path, licence } = item;
    if (set >= 0) {
      this.hits(set)[2] += 1;
      this.skip(item, "contaminated", content);
      return -1;
    }
    if (tokens.hashes.length === 0) {
      this.skip(item, "empty", content);
      return -1;
    }
    const id = identify(origin, path);
    const record: DocumentRecord = { id, lang, text: content, origin, version, path, licence };
    const index: RecordIndex = {
      exact: hashSequence(tokens.hashes),
      rank: hashText(id),
      summary: { hi: 0, lo: 0 },
      lang,
      draw: this.draw(item),
      origin: this.originIndex(origin),
      document: -1,
      signature: tokens.signature(),
    };
    this.found.documents.push({ index, record });
    return this.found.documents.length - 1;
  }

  private consider(
    item: SourceItem,
    lang: Language,
    text: string,
    found: ExtractedFunction,
    tokens: Tokens,
    set: number,
    document: number,
  ): void {
    const { origin, version, path, licence } = item;
    const counts = this.language(lang);
    counts.functions += 1;
    if (found.docstring !== undefined) counts.withDocstring += 1;
    const made = candidate(found, lang, this.options);
    const id = identify(origin, path, found.startLine, found.name);
    if (typeof made === "string") {
      this.drop(item, lang, made, found, id);
      return;
    }
    counts.withSummary += 1;
    if (made.bodyIsReturn) counts.bodyIsReturn += 1;
    if (set >= 0) {
      this.hits(set)[1] += 1;
      this.drop(item, lang, "contaminated", found, id);
      return;
    }
    const keep =
      this.options.keepDocstring > 0 && drawOf(`docstring\n${this.options.seed}\n${id}`) < this.options.keepDocstring;
    const record: PairRecord = {
      id,
      lang,
      summary: made.summary,
      docstring: clip(made.docstring, DOCSTRING_CHARACTERS),
      signature: signatureText(made.code, made.body),
      name: made.name,
      kind: found.kind,
      code: keep ? text.slice(Math.min(found.start, found.docSpan?.[0] ?? found.start), found.end) : made.code,
      body: made.body,
      origin,
      version,
      path,
      licence,
      startLine: made.startLine,
      endLine: made.endLine,
    };
    const index: RecordIndex = {
      exact: hashSequence(tokens.hashes),
      rank: hashText(id),
      summary: hashText(normalised(made.summary)),
      lang,
      draw: this.draw(item),
      origin: this.originIndex(origin),
      document,
      signature: tokens.signature(),
    };
    this.found.pairs.push({ index, record });
  }

  /** A function that comes cut out, with its documentation beside it. */
  private addFunction(item: SourceItem, lang: Language, text: string): void {
    const counts = this.language(lang);
    counts.characters += text.length;
    const found = alone(text, lang);
    if (found === undefined) {
      this.skip(item, "no-function", text);
      return;
    }
    const tokens = new Tokens(found.code, lang);
    const set = this.find(found.code, lang, tokens);
    if (set >= 0) this.hits(set)[0] += 1;
    const docstring = item.docstring ?? found.docstring;
    const named = { ...found, name: item.name ?? found.name, docstring: docstring === "" ? undefined : docstring };
    this.consider(item, lang, text, named, tokens, set, -1);
  }

  private find(code: string, lang: Language, tokens: Tokens): number {
    return this.exclusion.isEmpty ? -1 : this.exclusion.find(code, lang, tokens.hashes, tokens.signature);
  }

  private drop(item: SourceItem, lang: Language, reason: string, found: ExtractedFunction, id: string): void {
    const { dropped } = this.language(lang);
    dropped[reason] = (dropped[reason] ?? 0) + 1;
    if (reason === "no-docstring") return; // No rule, and nothing to look at.
    this.samples.offer(lang, reason, keyOf(hashText(id)), () => ({
      origin: item.origin,
      path: item.path,
      startLine: found.startLine,
      name: found.name,
      ...(found.docstring === undefined ? {} : { docstring: clip(found.docstring, 400) }),
      text: clip(found.code, 600),
    }));
  }

  private language(lang: Language): PartLanguage {
    return (this.found.languages[lang] ??= {
      files: 0,
      characters: 0,
      functions: 0,
      withDocstring: 0,
      withSummary: 0,
      bodyIsReturn: 0,
      dropped: {},
    });
  }

  private hits(set: number): [number, number, number] {
    return (this.found.excluded[set] ??= [0, 0, 0]);
  }

  private originIndex(origin: string): number {
    let index = this.origins.get(origin);
    if (index === undefined) {
      this.origins.set(origin, (index = this.origins.size));
      this.found.origins.push(origin);
    }
    return index;
  }

  private draw({ origin, path }: SourceItem): number {
    return hashText(`split\n${this.options.seed}\n${origin}\n${path}`).hi;
  }
}

/** A code's tokens and their signature, each made when it is first asked for. */
class Tokens {
  private made: Uint32Array | undefined;
  private signed: { readonly signature: Signature | undefined } | undefined;

  constructor(
    private readonly code: string,
    private readonly lang: Language,
  ) {}

  get hashes(): Uint32Array {
    return (this.made ??= tokenHashes(this.code, this.lang));
  }

  readonly signature = (): Signature | undefined => (this.signed ??= { signature: signatureOf(this.hashes) }).signature;
}

/** The outermost function of a text that is one function; inside a class where the grammar wants one. */
function alone(text: string, lang: Language): ExtractedFunction | undefined {
  const plain = outermost(extractFunctions(text, lang));
  if (plain !== undefined) return plain;
  const [before, after] = WRAPPED[lang] ?? [];
  if (before === undefined) return undefined;
  // On the first line, so that line numbers stay.
  return outermost(extractFunctions(before + text + after!, lang));
}

const WRAPPED: Readonly<Partial<Record<Language, readonly [string, string]>>> = {
  java: ["class A { ", "\n}"],
  csharp: ["class A { ", "\n}"],
  php: ["<?php class A { ", "\n}"],
  javascript: ["class A { ", "\n}"],
  typescript: ["class A { ", "\n}"],
};

function outermost(functions: readonly ExtractedFunction[]): ExtractedFunction | undefined {
  return functions.reduce<ExtractedFunction | undefined>(
    (best, one) => (best === undefined || one.end - one.start > best.end - best.start ? one : best),
    undefined,
  );
}

/** `code` up to the first line of its body, without the brace that opens it. */
export function signatureText(code: string, body: string): string {
  const first = body.slice(0, Math.max(0, body.indexOf("\n")) || body.length).trim();
  let at = 0;
  let end = -1;
  for (const line of code.split("\n")) {
    if (at > 0 && line.trim() === first) {
      end = at;
      break;
    }
    at += line.length + 1;
  }
  if (end < 0) end = code.indexOf(first, 1);
  const head = end > 0 ? code.slice(0, end) : code.slice(0, Math.max(0, code.indexOf("\n")) || code.length);
  return clip(head.trimEnd().replace(/\s*\{$/, ""), SIGNATURE_CHARACTERS);
}

/** The beginning of a text; never half of a surrogate pair, which UTF-8 could not hold. */
function clip(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const last = text.charCodeAt(characters - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? characters - 1 : characters);
}

/** A summary as repetitions are told by: letters and digits, no case. */
function normalised(summary: string): string {
  return summary
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function identify(...parts: readonly (string | number)[]): string {
  return sha256(parts.join("\n")).slice(0, 16);
}
