import type { Tensor } from "../../base/index.js";
import { Column, idColumn, type Columns } from "./_block.js";
import type { Packer } from "./_stage1-packer.js";

/** Stage 2: of every row its length, of every token its id, first the texts of a batch, then its code sides. */
export class Stage2Packer implements Packer {
  private readonly lengths = new Column((length) => new Uint32Array(length));
  private readonly ids;

  constructor(vocabSize: number) {
    this.ids = idColumn(vocabSize);
  }

  add(tensors: Readonly<Record<string, Tensor>>): { real: number } {
    let real = 0;
    for (const side of ["text", "code"]) {
      const [rows, length] = tensors[`${side}_ids`]!.dims as [number, number];
      const ids = tensors[`${side}_ids`]!.data as Int32Array;
      const segments = tensors[`${side}_segments`]!.data as Int32Array;
      const lengths = new Uint32Array(rows);
      for (let row = 0; row < rows; row++) {
        const begin = row * length;
        lengths[row] = segments.subarray(begin, begin + length).reduce((sum, segment) => sum + segment, 0);
        this.ids.column.push(this.ids.from(ids.subarray(begin, begin + lengths[row]!)) as never);
        real += lengths[row]!;
      }
      this.lengths.push(lengths);
    }
    return { real };
  }

  take(): Columns {
    return { lengths: this.lengths.take(), ids: this.ids.column.take() };
  }
}
