/**
 * Two inner loops in WebAssembly with 128-bit vectors, on a memory that the caller fills. Assembled from
 * `simd.wat` beside this file.
 */
export interface Simd {
  /** out[r] = scales[r] * (rows[r] . query); `rows` int8, `query` int16, `dim` a multiple of 16. All are byte addresses. */
  dots(rows: number, scales: number, count: number, dim: number, query: number, out: number): void;
  /** out[d] = sum of table[ids[n]][d] * counts[n]; float32, `dim` a multiple of 4. */
  gather(table: number, dim: number, ids: number, counts: number, n: number, out: number): void;
}

const CODE =
  "AGFzbQEAAAABCgFgBn9/f39/fwACDwEDZW52Bm1lbW9yeQIAAQMDAgAABxECBGRvdHMAAAZnYXRoZXIAAQrjAgLTAQIDfwJ7IAUgAkECdGohBgJAA0AgBSAGTw0B/QwAAAAAAAAAAAAAAAAAAAAAIQn9DAAAAAAAAAAAAAAAAAAAAAAhCiAEIQcgBCADQQF0aiEIA0AgCSAA/QEDACAH/QAEAP26Af2uASEJIAogAP0BAwggB/0ABBD9ugH9rgEhCiAAQRBqIQAgB0EgaiEHIAcgCEkNAAsgCSAK/a4BIQkgBSABKgIAIAn9GwAgCf0bAWogCf0bAiAJ/RsDamqylDgCACABQQRqIQEgBUEEaiEFDAALCwuLAQIEfwF7IAFBAnQhBiAFQQAgBvwLACACIARBAnRqIQkCQANAIAIgCU8NASAAIAIoAgAgBmxqIQggAyoCAP0TIQpBACEHA0AgBSAHaiAFIAdq/QAEACAKIAggB2r9AAQA/eYB/eQB/QsEACAHQRBqIQcgByAGSQ0ACyACQQRqIQIgA0EEaiEDDAALCws=";

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
