/** The nine languages, by the names used everywhere in the product. */
export const LANGUAGES = ["python", "java", "javascript", "typescript", "csharp", "c", "ruby", "go", "php"] as const;
export type Language = (typeof LANGUAGES)[number];
