const ENDINGS = [
  ["ies", "y"],
  ["ing", ""],
  ["ed", ""],
  ["es", "e"],
  ["s", ""],
] as const;

/** Brings `values`, `valued` and `value` together: one ending off where three letters stay, then a final e. */
export function stem(word: string): string {
  if (word.length <= 3 || word.endsWith("ss")) return word;
  const ending = ENDINGS.find(([suffix]) => word.endsWith(suffix) && word.length - suffix.length >= 3);
  const root = ending === undefined ? word : word.slice(0, -ending[0].length) + ending[1];
  return root.replace(/e$/, "");
}
