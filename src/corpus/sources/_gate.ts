import type { Language } from "../../base/index.js";
import { headerLicence } from "./licences/header.js";
import { isAllowed, UNKNOWN, type LicenceRules } from "./licences/expression.js";
import { noticeLicence } from "./licences/notice.js";
import type { SkipReason, SourceEvent, SourceSkip } from "./types.js";

/** Turns files that were read into events: asks their own header for the licence and keeps out what is not allowed. */
export class Gate {
  constructor(
    private readonly origin: string,
    private readonly version: string,
    private readonly rules: LicenceRules,
    /** Files without any statement pass: the user chose them by hand, or the data set's authors did. */
    private readonly unknownPasses: boolean,
  ) {}

  /**
   * A file's event. `stated`: what the source says of the file. The file's own header goes first, and a notice in words
   * that gives it under another licence.
   */
  file(path: string, bytes: Uint8Array, stated: string, lang?: Language, origin = this.origin): SourceEvent {
    const header = headerLicence(bytes);
    let licence = header ?? stated;
    if (header === undefined && this.passes(stated)) {
      const notice = noticeLicence(bytes);
      if (notice !== undefined && !isAllowed(notice, this.rules)) licence = notice;
    }
    if (!this.passes(licence)) return this.skipped(path, "licence", licence, origin);
    return { kind: "item", item: { kind: "file", origin, version: this.version, path, licence, lang, bytes } };
  }

  passes(licence: string): boolean {
    return (this.unknownPasses && licence === UNKNOWN) || isAllowed(licence, this.rules);
  }

  skipped(path: string, reason: SkipReason, detail?: string, origin = this.origin): SourceSkip {
    return { kind: "skipped", origin, path, reason, ...(detail === undefined ? {} : { detail }) };
  }
}

/** Files above this are passed over unread unless the reader says otherwise. */
export const MAX_FILE_BYTES = 10_000_000;
