/** Updates before the first alarm, and between two. */
const QUIET = 50;
const DECAY = 0.98;

/**
 * Tells a loss that is far above what it was of late: more than six standard deviations and a fifth of the mean above the
 * running mean, both over about the last fifty updates.
 */
export class LossWatch {
  private mean = 0;
  private variance = 0;
  private seen = 0;
  private quiet = QUIET;

  /** @returns the running mean where this loss is a spike */
  note(loss: number): number | undefined {
    const { mean } = this;
    const above = loss - mean;
    const spike = this.quiet <= 0 && above > 6 * Math.sqrt(this.variance) && above > 0.2 * Math.abs(mean);
    this.quiet = spike ? QUIET : this.quiet - 1;
    this.seen += 1;
    const weight = Math.max(1 - DECAY, 1 / this.seen); // The first ones count alike.
    this.mean += weight * above;
    this.variance = (1 - weight) * (this.variance + weight * above * above);
    return spike ? mean : undefined;
  }
}
