import { fingerprintOf } from "./_choose.js";
import type { SourceConfig } from "./schema.js";
import type { Source, SourceSkip } from "./types.js";

/** A source that cannot be had: one event says so, and the run goes on. */
export function unavailable(config: SourceConfig, origin: string, why: string, version = ""): Source {
  return {
    origin,
    version,
    fingerprint: fingerprintOf(config, "unavailable"),
    required: config.required,
    note: `unavailable: ${why}`,
    config,

    async *items(): AsyncGenerator<SourceSkip> {
      yield { kind: "skipped", origin, path: "", reason: "unavailable", detail: why };
    },
  };
}
