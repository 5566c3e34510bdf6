import type { IdentifierKind } from "./types.js";

/**
 * What an occurrence of a name is to the file. *Plain* occurrences stand alone (`size`), *member* occurrences stand
 * behind a receiver or declare a part of a class or object (`this.size`).
 *
 * - `use`, `member`: a mere occurrence, plain or member.
 * - `define`: a plain definition; `define-member`: a definition of a member; `define-both`: visible both ways, as a
 *   class inside a class is.
 * - `assign-member`: `receiver.name = ...`, a definition if the file itself defines the receiver.
 * - `keyword`: the name of an argument, `f(name=1)`: it belongs to the callee.
 * - `import`: brought in from another file under its own name, which therefore stays.
 */
export type Role =
  | { readonly role: "use" | "member" | "import" | "use-either" }
  | { readonly role: "define" | "define-member" | "define-both" | "define-parameter"; readonly kind: IdentifierKind }
  | { readonly role: "assign-member"; readonly receiver: string | undefined }
  | { readonly role: "keyword"; readonly callee: string | undefined };

/** Called once per identifier in the file, in text order, with its span. */
export type Visit = (start: number, end: number, role: Role) => void;

export const USE: Role = { role: "use" };
/** A plain occurrence directly in a class body, where members are visible by their plain names. */
export const USE_EITHER: Role = { role: "use-either" };
export const MEMBER: Role = { role: "member" };
export const IMPORT: Role = { role: "import" };
export const CLASS: Role = { role: "define", kind: "class" };
export const FUNCTION: Role = { role: "define", kind: "function" };
export const VARIABLE: Role = { role: "define", kind: "variable" };
/** A variable that callers may name: `f(name=1)`. */
export const PARAMETER: Role = { role: "define-parameter", kind: "variable" };
export const METHOD: Role = { role: "define-member", kind: "function" };
export const ATTRIBUTE: Role = { role: "define-member", kind: "attribute" };
export const INNER_CLASS: Role = { role: "define-both", kind: "class" };
/** A member of the class around it that its body also names plainly (Python class variables and methods). */
export const CLASS_VARIABLE: Role = { role: "define-both", kind: "attribute" };
export const CLASS_FUNCTION: Role = { role: "define-both", kind: "function" };
/** `self.name = ...`: the receiver is the object itself. */
export const OWN_ATTRIBUTE: Role = { role: "assign-member", receiver: undefined };
