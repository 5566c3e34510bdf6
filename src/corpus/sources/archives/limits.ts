import type { SkipReason } from "../types.js";

/** What an archive may cost. Real packages stay far below; what goes past is taken for a bomb. */
export interface ArchiveLimits {
  /** Bytes unpacked of one source, what is nested in it included. */
  readonly maxTotalBytes: number;
  /** Entries of one source, what is nested in it included. */
  readonly maxEntries: number;
  /** Unpacked bytes for each packed one; looked at from {@link RATIO_FROM} unpacked bytes on. */
  readonly maxRatio: number;
  /** Archives inside archives; a `.deb` and its data count as one. */
  readonly maxDepth: number;
}

export const DEFAULT_LIMITS: ArchiveLimits = {
  maxTotalBytes: 8 * 2 ** 30,
  maxEntries: 1_000_000,
  maxRatio: 200,
  maxDepth: 2,
};

/** A small file of zeros is no bomb. */
export const RATIO_FROM = 16 * 2 ** 20;

/** Why an archive cannot be read on. */
export class ArchiveProblem extends Error {
  constructor(
    readonly reason: SkipReason,
    message: string,
    /** Ends the reading of the whole source, not only of a nested archive. */
    readonly fatal = false,
  ) {
    super(message);
  }
}

/** Counts what one source has cost so far. */
export class Budget {
  private bytes = 0;
  private entries = 0;

  constructor(readonly limits: ArchiveLimits) {}

  /** @throws ArchiveProblem `archive-bomb` */
  spendBytes(count: number): void {
    this.bytes += count;
    if (this.bytes <= this.limits.maxTotalBytes) return;
    throw new ArchiveProblem("archive-bomb", `more than ${this.limits.maxTotalBytes} bytes unpacked`, true);
  }

  /** @throws ArchiveProblem `archive-bomb` */
  spendEntries(count: number): void {
    this.entries += count;
    if (this.entries <= this.limits.maxEntries) return;
    throw new ArchiveProblem("archive-bomb", `more than ${this.limits.maxEntries} entries`, true);
  }

  /** @throws ArchiveProblem `archive-bomb` */
  checkRatio(packed: number, unpacked: number): void {
    if (unpacked < RATIO_FROM || unpacked <= packed * this.limits.maxRatio) return;
    throw new ArchiveProblem("archive-bomb", `more than ${this.limits.maxRatio} bytes unpacked for each packed one`);
  }
}
