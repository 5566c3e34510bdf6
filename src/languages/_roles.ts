import type { IdentifierKind } from "./types.js";

/**
 * Where names live. A language whose functions, types or variables cannot be mistaken for each other keeps them apart,
 * so that `$count = count($list)` does not take PHP's own `count` along. Bits of one number.
 */
export const PLAIN = 1;
/** Behind a receiver: `this.size`. */
export const MEMBERS = 2;
/** Types, where the syntax tells them from values. */
export const TYPES = 4;
/** Methods, where the syntax tells them from fields (Java). */
export const METHODS = 8;
/** Names behind a mark of their own: `$x` in PHP, `@x` in Ruby. */
export const MARKED = 16;

/**
 * What an occurrence of a name is to the file; `spaces` is where it is looked up, or defined.
 *
 * - `use`: a mere occurrence.
 * - `define`: a definition; `parameter` if callers may name it (`f(name=1)`).
 * - `assign-member`: `receiver.name = ...`, a definition if the file itself defines the receiver.
 * - `keyword`: the name of an argument, `f(name=1)`: it belongs to the callee. With `spaces` (a key of an object literal
 *   that is handed over) it may also be a mere occurrence there.
 * - `import`: brought in from another file under its own name, which therefore stays.
 */
export type Role =
  | { readonly role: "use"; readonly spaces: number }
  | { readonly role: "define"; readonly kind: IdentifierKind; readonly spaces: number; readonly parameter?: boolean }
  | { readonly role: "assign-member"; readonly receiver: string | undefined }
  | { readonly role: "keyword"; readonly callee: string | undefined; readonly spaces?: number }
  | { readonly role: "import" };

/** Called once per identifier in the file, in text order, with its span. */
export type Visit = (start: number, end: number, role: Role) => void;

export const use = (spaces: number): Role => ({ role: "use", spaces });
export const define = (kind: IdentifierKind, spaces: number): Role => ({ role: "define", kind, spaces });

export const USE = use(PLAIN);
export const MEMBER = use(MEMBERS);
/** A plain occurrence where members are visible by their plain names. */
export const USE_EITHER = use(PLAIN | MEMBERS);
export const TYPE = use(TYPES);
export const IMPORT: Role = { role: "import" };
export const CLASS = define("class", PLAIN | TYPES);
export const INNER_CLASS = define("class", PLAIN | TYPES | MEMBERS);
export const FUNCTION = define("function", PLAIN);
export const VARIABLE = define("variable", PLAIN);
/** A variable that callers may name: `f(name=1)`. */
export const PARAMETER: Role = { role: "define", kind: "variable", spaces: PLAIN, parameter: true };
export const METHOD = define("function", MEMBERS);
export const ATTRIBUTE = define("attribute", MEMBERS);
/** `self.name = ...`: the receiver is the object itself. */
export const OWN_ATTRIBUTE: Role = { role: "assign-member", receiver: undefined };
