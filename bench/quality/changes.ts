import { spawnSync } from "node:child_process";
import { mayAnswer, type Question } from "./questions.js";

const COMMITS = 6000;
const MOST_FILES = 3;
/** Said of every project: nothing to find by it. */
const EMPTY =
  /^(?:merge|revert|release|bump|version|update (?:changelog|readme|dependencies|version|copyright)|prepare|chore|docs?\b|ci\b|build\b|test\b|style\b|typo|fix typo|lint|format|cleanup|clean up|minor|wip|cosmetic|changelog|apply suggestions)/i;

/**
 * Questions from a repository's history: the first line of a commit's message, answered by the one to three source files
 * that it changed and that are still there. Numbers of issues, names of areas (`fix(core):`) and paths are taken off.
 */
export function changeQuestions(git: string, commit: string, files: ReadonlyMap<string, string>): Question[] {
  const { status, stdout } = spawnSync(
    "git",
    ["-C", git, "log", "--no-merges", "--no-renames", `-n${COMMITS}`, "--format=%x01%s", "--name-only", commit],
    { encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  if (status !== 0) return [];
  const questions: Question[] = [];
  for (const record of stdout.split("\u0001").slice(1)) {
    const [subject = "", ...lines] = record.split("\n");
    const changed = lines.filter((line) => line !== "");
    const sources = changed.filter((path) => files.has(path) && mayAnswer(path));
    // Much else was changed with them: the message may be about that.
    if (sources.length === 0 || sources.length > MOST_FILES || changed.filter(mayAnswer).length > MOST_FILES) continue;
    const text = plainSubject(subject);
    const words = text.split(/\s+/).length;
    if (text === "" || words < 4 || words > 20) continue;
    questions.push({ kind: "changes", text, answers: sources.map((path) => ({ path })) });
  }
  return questions;
}

/** A commit's first line without what only its project understands; empty where nothing is left. */
export function plainSubject(subject: string): string {
  if (EMPTY.test(subject)) return "";
  return subject
    .replace(/^\s*(?:\[[^\]]*\]\s*)+/, "")
    .replace(/^[\w./*-]{1,30}(?:\([^)]*\))?!?:\s+/, "")
    .replace(/\s*\(?(?:(?:fixes|fix|closes|close|refs?|see|issue|pr)\s*:?\s*)?(?:#|GH-|gh-)\d+\)?/gi, "")
    .replace(/\S*\/\S*\.\w+/g, "")
    .replace(/\s+/g, " ")
    .replace(/[.\s]+$/, "")
    .trim();
}
