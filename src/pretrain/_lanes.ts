import { UserError } from "../base/index.js";
import type { Place } from "./example-sources.js";
import type { OpenedExample } from "./examples.js";
import type { Example, Objective, Reader } from "./packing.js";

/** A document in hand: where it stands in its epoch's order, and how many of its tokens were taken. */
export interface OpenDocument extends Place {
  readonly offset: number;
  /** Settled when it was begun. */
  readonly objective: Objective;
}

/** A lane's document; undefined before its first, and between two. */
export type Lane = OpenDocument | undefined;

/** Lanes as one short string, a word each: a checkpoint keeps it, and so does every update of a packed run. */
export function writeLanes(lanes: readonly Lane[]): string {
  return lanes
    .map((lane) => (lane === undefined ? "-" : [lane.epoch, lane.index, lane.offset, lane.objective].join(":")))
    .join(" ");
}

/** @throws UserError `checkpoint.position` */
export function readLanes(text: unknown, count: number): Lane[] {
  const words = typeof text === "string" ? text.split(" ") : [];
  const lanes = words.map((word) => {
    if (word === "-") return undefined;
    const match = /^(\d+):(\d+):(\d+):([RD])$/.exec(word);
    if (match === null) throw unknownPlace(count);
    const [epoch, index, offset] = match.slice(1, 4).map(Number) as [number, number, number];
    return { epoch, index, offset, objective: match[4] as Objective };
  });
  if (lanes.length !== count) throw unknownPlace(count);
  return lanes;
}

function unknownPlace(count: number): UserError {
  return new UserError(
    "checkpoint.position",
    `stage 1: expected a place in the data with ${count} open documents, got one of another version or batch size`,
    { fix: "Go on with the settings that the run began with, or train into a new folder" },
  );
}

/** What lanes take their documents from. */
export interface LaneSource {
  /** The masked document of a lane. */
  open(document: OpenDocument): Promise<OpenedExample>;
  /** The next document that no lane has had. */
  begin(): Promise<{ readonly place: Place; readonly example: OpenedExample }>;
}

/** Walks over the documents of one lane and counts what it meets. */
export class LaneReader implements Reader {
  finished = 0;
  fallbacks = 0;
  private held: OpenedExample | undefined;

  constructor(
    public lane: Lane,
    private readonly source: LaneSource,
  ) {}

  get offset(): number {
    return this.lane?.offset ?? 0;
  }

  set offset(offset: number) {
    if (this.lane !== undefined) this.lane = { ...this.lane, offset };
  }

  async current(): Promise<Example> {
    if (this.held !== undefined) return this.held;
    if (this.lane !== undefined) {
      this.held = await this.source.open(this.lane);
    } else {
      const { place, example } = await this.source.begin();
      this.lane = { ...place, offset: 0, objective: example.wanted };
      this.held = example;
    }
    return this.held;
  }

  advance(): void {
    this.finished += 1;
    if (this.held !== undefined && this.held.objective !== this.held.wanted) this.fallbacks += 1;
    this.held = undefined;
    this.lane = undefined;
  }
}
