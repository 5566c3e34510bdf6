/**
 * Just enough of the protobuf wire format (protobuf.dev/programming-guides/encoding) to write ONNX: varints, floats and
 * length-delimited fields. Large payloads are kept as views until the end, so that weights are copied once.
 */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];
  #small: number[] = [];
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** A varint field: enums, bools and (negative ones as two's complement of 64 bits) integers. */
  integer(field: number, value: number | bigint): this {
    this.#varint(BigInt(field * 8));
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.#varint(BigInt(field * 8 + 5));
    for (const byte of new Uint8Array(Float32Array.of(value).buffer)) this.#byte(byte);
    return this;
  }

  /** A UTF-8 string field. */
  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, "utf8"));
  }

  /** A bytes field; `value` is not copied before `finish`. */
  bytes(field: number, value: Uint8Array): this {
    this.#header(field, value.length);
    this.#append(value);
    return this;
  }

  /** An embedded message. */
  message(field: number, value: ProtoWriter): this {
    this.#header(field, value.length);
    value.#flush();
    for (const part of value.#parts) this.#append(part);
    return this;
  }

  /** All of it as one array. */
  finish(): Uint8Array {
    this.#flush();
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.length;
    }
    return result;
  }

  #header(field: number, length: number): void {
    this.#varint(BigInt(field * 8 + 2));
    this.#varint(BigInt(length));
  }

  #varint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  #byte(value: number): void {
    this.#small.push(value);
    this.#length++;
  }

  /** Short payloads join the running bytes, long ones stay views. */
  #append(value: Uint8Array): void {
    if (value.length < 256) {
      for (const byte of value) this.#small.push(byte);
    } else {
      this.#flush();
      this.#parts.push(value);
    }
    this.#length += value.length;
  }

  #flush(): void {
    if (this.#small.length === 0) return;
    this.#parts.push(Uint8Array.from(this.#small));
    this.#small = [];
  }
}
