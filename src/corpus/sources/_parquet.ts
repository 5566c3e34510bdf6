import { open, type FileHandle } from "node:fs/promises";
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** Rows from `start` to before `end`. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Unpacked contents held at a time, about; a row group above it is read in pieces. */
const PIECE = 64 * 2 ** 20;

/** Reads a Parquet file piece by piece. */
export class ParquetRows {
  private constructor(
    private readonly handle: FileHandle,
    private readonly file: AsyncBuffer,
    private readonly metadata: FileMetaData,
  ) {}

  /** @throws for an unreadable file or one that is not Parquet */
  static async open(path: string): Promise<ParquetRows> {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const file: AsyncBuffer = {
        byteLength: size,
        slice: async (start, end = size) => {
          const buffer = new ArrayBuffer(end - start);
          const { bytesRead } = await handle.read(new Uint8Array(buffer), 0, end - start, start);
          if (bytesRead < end - start) throw new Error("the file is shorter than its own directory says");
          return buffer;
        },
      };
      return new ParquetRows(handle, file, await parquetMetadataAsync(file));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Names of the columns. */
  get columns(): string[] {
    // The schema is a tree in depth-first order: each node says how many children follow it.
    const [root, ...nodes] = this.metadata.schema;
    const names: string[] = [];
    const pass = (at: number): number => {
      let next = at + 1;
      for (let i = 0; i < (nodes[at]?.num_children ?? 0); i++) next = pass(next);
      return next;
    };
    for (let at = 0; names.length < (root?.num_children ?? 0) && at < nodes.length; at = pass(at)) {
      names.push(nodes[at]!.name);
    }
    return names;
  }

  /** Ranges of rows whose `column` fits into memory well. */
  *ranges(column: string): Generator<RowRange> {
    let start = 0;
    for (const group of this.metadata.row_groups) {
      const rows = Number(group.num_rows);
      const chunk = group.columns.find(({ meta_data: data }) => data?.path_in_schema[0] === column);
      const bytes = Number(chunk?.meta_data?.total_uncompressed_size ?? 0);
      const step = Math.max(1, Math.ceil(rows / Math.max(1, Math.ceil(bytes / PIECE))));
      for (let at = 0; at < rows; at += step) yield { start: start + at, end: start + Math.min(at + step, rows) };
      start += rows;
    }
  }

  /** The rows of a range with some columns; `bytes` leaves texts as they are stored, UTF-8 or not. */
  async read({ start, end }: RowRange, columns: string[], as: "text" | "bytes"): Promise<Record<string, unknown>[]> {
    if (columns.length === 0) return Array.from({ length: end - start }, () => ({}));
    return parquetReadObjects({
      file: this.file,
      metadata: this.metadata,
      columns,
      rowStart: start,
      rowEnd: end,
      compressors,
      useOffsetIndex: true,
      ...(as === "bytes" ? { utf8: false, parsers: { stringFromBytes: (bytes: Uint8Array) => bytes } } : {}),
    });
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}
