/** The columns of the two tables, in their stored order. `text`: long and rarely repeated; `word`: from a small set. */
export type ColumnKind = "text" | "word" | "int";
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

const place = [
  { name: "origin", kind: "word" },
  { name: "version", kind: "word" },
  { name: "path", kind: "text" },
  { name: "licence", kind: "word" },
] as const;

export const PAIR_COLUMNS: readonly Column[] = [
  { name: "id", kind: "text" },
  { name: "lang", kind: "word" },
  { name: "summary", kind: "text" },
  { name: "docstring", kind: "text" },
  { name: "signature", kind: "text" },
  { name: "name", kind: "text" },
  { name: "kind", kind: "word" },
  { name: "code", kind: "text" },
  { name: "body", kind: "text" },
  ...place,
  { name: "startLine", kind: "int" },
  { name: "endLine", kind: "int" },
];

export const DOCUMENT_COLUMNS: readonly Column[] = [
  { name: "id", kind: "text" },
  { name: "lang", kind: "word" },
  { name: "text", kind: "text" },
  ...place,
];
