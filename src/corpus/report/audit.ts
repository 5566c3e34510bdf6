import { z } from "zod";
import { LANGUAGES, readJsonl, UserError, type Language } from "../../base/index.js";
import type { CorpusPair } from "../types.js";
import { precisionOf, type Precision } from "./precision.js";

/** What a reader says of a pair; empty while unread. */
export const MARKS = ["keep", "wrong", ""] as const;

const markSchema = z.object({
  seed: z.number().int(),
  lang: z.enum(LANGUAGES),
  id: z.string().min(1),
  origin: z.string().default(""),
  path: z.string().default(""),
  startLine: z.number().int().default(0),
  name: z.string().default(""),
  summary: z.string(),
  code: z.string(),
  mark: z.enum(MARKS),
  reason: z.string().default(""),
});

/**
 * One line of an audit: a pair as the reader saw it (`code` may be cut), and the verdict. `keep`: the summary is a true
 * description of the whole function. `reason` is one line.
 */
export type AuditMark = z.output<typeof markSchema>;

/** Longer code is cut in audits, at a line's end. */
const EXCERPT = 2_000;

/** The unmarked line for a pair. */
export function auditLine(pair: CorpusPair, seed: number): AuditMark {
  const { lang, id, origin, path, startLine, name, summary } = pair;
  return { seed, lang, id, origin, path, startLine, name, summary, code: excerpt(pair.code), mark: "", reason: "" };
}

function excerpt(code: string): string {
  if (code.length <= EXCERPT) return code;
  const end = code.lastIndexOf("\n", EXCERPT);
  const kept = code.slice(0, end > 0 ? end : EXCERPT);
  const left = code.slice(kept.length).trim().split("\n").length;
  return `${kept}\n[... ${left} more lines]`;
}

/**
 * Reads marks from a JSON Lines file.
 *
 * @throws UserError `audit.invalid` with file and line; those of {@link readJsonl}
 */
export async function* readMarks(path: string): AsyncGenerator<AuditMark> {
  let number = 0;
  for await (const value of readJsonl(path)) {
    number += 1;
    const parsed = markSchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
      throw new UserError("audit.invalid", `${path}: expected a mark in record ${number}, got another: ${where}`, {
        fix: "Take a file that lodestone corpus audit wrote, and change only mark (keep or wrong) and reason",
      });
    }
    yield parsed.data;
  }
}

/** Precision by language of those that carry a mark. The last mark of a pair counts. */
export async function precisionByLanguage(
  marks: AsyncIterable<AuditMark> | Iterable<AuditMark>,
): Promise<ReadonlyMap<Language, Precision>> {
  const verdicts = new Map<Language, Map<string, boolean>>();
  for await (const { lang, id, mark } of marks) {
    if (mark === "") continue;
    let ofLanguage = verdicts.get(lang);
    if (ofLanguage === undefined) verdicts.set(lang, (ofLanguage = new Map()));
    ofLanguage.set(id, mark === "keep");
  }
  return new Map(
    LANGUAGES.flatMap((lang) => {
      const ofLanguage = verdicts.get(lang);
      if (ofLanguage === undefined) return [];
      const kept = [...ofLanguage.values()].filter(Boolean).length;
      return [[lang, precisionOf(kept, ofLanguage.size)] as const];
    }),
  );
}
