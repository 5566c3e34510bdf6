/** Takes lines and runs of bytes, in turn, from a stream of chunks. */
export class ByteReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);
  private ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  /** The next line without its end; undefined at the end of the stream. Lines are ASCII or UTF-8 and short. */
  async line(): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    while (this.rest.length > 0 || (await this.fill())) {
      const end = this.rest.indexOf(10);
      if (end !== -1) {
        parts.push(this.rest.subarray(0, end));
        this.rest = this.rest.subarray(end + 1);
        return Buffer.concat(parts).toString();
      }
      parts.push(this.rest);
      this.rest = this.rest.subarray(this.rest.length);
    }
    return parts.length === 0 ? undefined : Buffer.concat(parts).toString();
  }

  /** Exactly so many bytes, in memory of their own; undefined if the stream ends before. */
  async bytes(count: number): Promise<Uint8Array | undefined> {
    const result = new Uint8Array(count);
    let filled = 0;
    for await (const part of this.take(count)) {
      result.set(part, filled);
      filled += part.length;
    }
    return filled === count ? result : undefined;
  }

  /** Passes over so many bytes, or what is left. */
  async skip(count: number): Promise<void> {
    const parts = this.take(count);
    while ((await parts.next()).done !== true);
  }

  /** The next so many bytes as they come; fewer if the stream ends. */
  async *take(count: number): AsyncGenerator<Uint8Array, void, void> {
    let left = count;
    while (left > 0 && (this.rest.length > 0 || (await this.fill()))) {
      const part = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  private async fill(): Promise<boolean> {
    while (!this.ended) {
      const next = await this.chunks.next();
      if (next.done === true) this.ended = true;
      else if (next.value.length > 0) {
        this.rest = next.value;
        return true;
      }
    }
    return false;
  }
}
