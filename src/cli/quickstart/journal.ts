import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errnoOf, writeFileAtomic } from "../../base/index.js";

const FILE = "journal.json";
const schema = z.object({ recipe: z.string(), seconds: z.record(z.string(), z.number()) });

/** Which recipe a quickstart folder belongs to and how long each phase took, over all interrupted runs. */
export class Journal {
  private constructor(
    private readonly folder: string,
    private readonly recipe: string,
    private readonly times: Record<string, number>,
  ) {}

  /**
   * Opens the folder's journal. What a run of another recipe left there, or any run where `fresh` is asked for, is removed
   * first: the names in `owned` and nothing else.
   */
  static async open(
    folder: string,
    recipe: string,
    { owned, fresh }: { owned: readonly string[]; fresh: boolean },
  ): Promise<{ journal: Journal; state: "new" | "resumed" | "replaced" }> {
    await mkdir(folder, { recursive: true });
    const text = await readFile(join(folder, FILE), "utf8").catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    });
    const found = text === undefined ? undefined : parse(text);
    if (found?.recipe === recipe && !fresh)
      return { journal: new Journal(folder, recipe, found.seconds), state: "resumed" };
    if (text !== undefined || fresh) {
      for (const name of owned) await rm(join(folder, name), { recursive: true, force: true });
    }
    const journal = new Journal(folder, recipe, {});
    await journal.save();
    return { journal, state: text === undefined || fresh ? "new" : "replaced" };
  }

  /** Runs a phase and adds its time to the journal, also where it fails or is interrupted. */
  async timed<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - started) / 1000;
      // A phase that was complete already is only looked up again.
      if (seconds > 0.5 || this.times[phase] === undefined) this.times[phase] = (this.times[phase] ?? 0) + seconds;
      await this.save();
    }
  }

  get phases(): Readonly<Record<string, number>> {
    return this.times;
  }

  private async save(): Promise<void> {
    await writeFileAtomic(
      join(this.folder, FILE),
      `${JSON.stringify({ recipe: this.recipe, seconds: this.times }, null, 1)}\n`,
    );
  }
}

function parse(text: string): z.output<typeof schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
