import type { RngState } from "../base/index.js";
import type { SpecialTokens } from "../tokenizer/index.js";
import type { ExampleTask, OpenedExample } from "./examples.js";
import type { RandomMasking, Rate } from "./masking.js";

/** What a thread that masks documents is started with. */
export interface ExamplesWorkerData {
  readonly tokenizer: { readonly source: string; readonly special: SpecialTokens };
  readonly masking: RandomMasking;
  readonly share: Rate;
  readonly rng: RngState;
  readonly cacheTokens: number | undefined;
}

export interface ExamplesRequest {
  readonly id: number;
  readonly tasks: readonly ExampleTask[];
}

export type ExamplesReply = { readonly id: number } & (
  | { readonly examples: readonly (OpenedExample | undefined)[] }
  | { readonly error: { readonly code?: string; readonly message: string; readonly fix?: string } }
);
