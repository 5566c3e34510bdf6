import { dirname, isAbsolute, join } from "node:path";

/**
 * A corpus config's content with the paths in it (of its sources and of the sets in `exclude`) as seen from the working
 * folder; in the file they are relative to its own folder. What is no path stays, for the schema to judge.
 *
 * @param file where the content was read
 */
export function withPathsOf(file: string, content: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const placed = (path: unknown): unknown =>
    typeof path === "string" && path !== "" && !isAbsolute(path) ? join(dirname(file), path) : path;
  const source = (value: unknown): unknown =>
    typeof value === "object" && value !== null && "path" in value ? { ...value, path: placed(value.path) } : value;
  const { sources, exclude } = content;
  return {
    ...content,
    ...(Array.isArray(sources) ? { sources: sources.map(source) } : {}),
    ...(Array.isArray(exclude) ? { exclude: exclude.map(placed) } : {}),
  };
}
