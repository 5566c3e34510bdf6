/**
 * Inner loops in WebAssembly with 128-bit vectors, on a memory that the caller fills. Assembled from
 * `simd.wat` beside this file.
 */
export interface Simd {
  /** out[r] = scales[r] * (rows[r] . query); `rows` int8, `query` int16, `dim` a multiple of 16. All are byte addresses. */
  dots(rows: number, scales: number, count: number, dim: number, query: number, out: number): void;
  /** out[d] = sum of table[ids[n]][d] * counts[n]; float32, `dim` a multiple of 4. */
  gather(table: number, dim: number, ids: number, counts: number, n: number, out: number): void;
  /** out[d] = sum of (table[ids[n]][d] - 128) * scales[ids[n]] * counts[n]; table uint8, `dim` a multiple of 16. */
  gatherBytes(table: number, dim: number, scales: number, ids: number, counts: number, n: number, out: number): void;
}

const CODE =
  "AGFzbQEAAAABFAJgBn9/f39/fwBgB39/f39/f38AAg8BA2VudgZtZW1vcnkCAAEDBAMAAAEHHwMEZG90cwAABmdhdGhlcgABC2dhdGhlckJ5dGVzAAIKywQD0wECA38CeyAFIAJBAnRqIQYCQANAIAUgBk8NAf0MAAAAAAAAAAAAAAAAAAAAACEJ/QwAAAAAAAAAAAAAAAAAAAAAIQogBCEHIAQgA0EBdGohCANAIAkgAP0BAwAgB/0ABAD9ugH9rgEhCSAKIAD9AQMIIAf9AAQQ/boB/a4BIQogAEEQaiEAIAdBIGohByAHIAhJDQALIAkgCv2uASEJIAUgASoCACAJ/RsAIAn9GwFqIAn9GwIgCf0bA2pqspQ4AgAgAUEEaiEBIAVBBGohBQwACwsLiwECBH8BeyABQQJ0IQYgBUEAIAb8CwAgAiAEQQJ0aiEJAkADQCACIAlPDQEgACACKAIAIAZsaiEIIAMqAgD9EyEKQQAhBwNAIAUgB2ogBSAHav0ABAAgCiAIIAdq/QAEAP3mAf3kAf0LBAAgB0EQaiEHIAcgBkkNAAsgAkEEaiECIANBBGohAwwACwsL5gECBH8DeyAGQQAgAUECdPwLACAGIAFBAnRqIQggAyAFQQJ0aiEKAkADQCADIApPDQEgACADKAIAIAFsaiEJIAIgAygCAEECdGoqAgD9EyEMIAQqAgD9EyELIAYhBwNAIAn9AgMA/QyAAIAAgACAAIAAgACAAIAA/ZEBIQ0gByAH/QAEACALIAwgDf2nAf36Af3mAf3mAf3kAf0LBAAgByAH/QAEECALIAwgDf2oAf36Af3mAf3mAf3kAf0LBBAgCUEIaiEJIAdBIGohByAHIAhJDQALIANBBGohAyAEQQRqIQQMAAsLCw==";

/** Memory of the loops; its addresses are byte offsets into `buffer`. */
export interface SimdMemory {
  readonly buffer: ArrayBuffer;
}

/** The parts of the global `WebAssembly` used here; Node's own types leave them out. */
interface Runtime {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  readonly Memory: new (size: { initial: number }) => SimdMemory;
}
const runtime = (globalThis as unknown as { WebAssembly: Runtime }).WebAssembly;

let compiled: object | undefined;

/** The loops over a memory of one's own. */
export function simdOver(memory: SimdMemory): Simd {
  compiled ??= new runtime.Module(Buffer.from(CODE, "base64"));
  return new runtime.Instance(compiled, { env: { memory } }).exports as Simd;
}

/** A memory of at least that many bytes. */
export function memoryOf(bytes: number): SimdMemory {
  return new runtime.Memory({ initial: Math.max(1, Math.ceil(bytes / 65536)) });
}
