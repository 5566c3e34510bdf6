import type { Language } from "../base/index.js";
import type { Piece } from "./_recover.js";
import type { ExtractedFunction, FunctionKind } from "./types.js";
import type { Visit } from "./_roles.js";
import type { SyntaxTree } from "./_tree.js";

/** What a profile says about one function node. Numbers are node indices of the tree. */
export interface FunctionShape {
  readonly name: string;
  readonly kind: FunctionKind;
  /** The declaration around the function: what documentation stands above and what `code` shows. */
  readonly outer: number;
  /** The first node of the declaration where decorators stand before `outer` as siblings; else `outer` itself. */
  readonly first?: number | undefined;
  /** The function is worth extracting only if it is documented: a callback that a call is given. */
  readonly onlyDocumented?: boolean;
  readonly body: number;
  /** The text between the body's marks (braces, `end`). `undefined`: the body is one returned expression. */
  readonly inner: readonly [start: number, end: number] | undefined;
}

/** Documentation as found: its marks removed, and where it stands. */
export interface Doc {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Everything the room knows about one language; one file each under `profiles/`. */
export interface Profile {
  readonly language: Language;
  /** The grammar's file, as `package/file.wasm`. */
  readonly grammar: string;
  /** A second grammar, for texts that the first one cannot parse. */
  readonly alternative?: string;
  /** Lower-case file endings, with the dot. */
  readonly extensions: readonly string[];
  readonly comments: ReadonlySet<string>;
  /** Nodes that may be functions to extract. */
  readonly functions: ReadonlySet<string>;
  /** Nodes whose return statements are not the surrounding function's. */
  readonly scopes: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
  /** Statements that hold a return and nothing else worth keeping: `return x if y` (Ruby). */
  readonly returnWrappers?: ReadonlySet<string>;
  /** Nodes whose children {@link Profile.shape} and {@link Profile.documentation} look at besides functions' own. */
  readonly looksInto?: ReadonlySet<string>;
  /** Statements that are documentation where they are a string. */
  readonly docStatements?: ReadonlySet<string>;
  /** An error in a declaration's head that changes nothing: a macro that stands for an attribute. */
  readonly harmlessInHead?: RegExp;
  /** Where to look again for functions that parse errors swallowed. */
  lost?(text: string, found: readonly ExtractedFunction[]): readonly Piece[];
  /** What opens a body without being code: `"use strict"`. */
  readonly directive?: RegExp;
  /** The function at `node`, or undefined where it has no name or no body. */
  shape(tree: SyntaxTree, node: number): FunctionShape | undefined;
  /** The documentation of a function; `comments` are the file's comment nodes, ascending. */
  documentation(tree: SyntaxTree, shape: FunctionShape, comments: readonly number[]): Doc | undefined;
  /** Reports each identifier of the file and its role. */
  names(tree: SyntaxTree, visit: Visit): void;
  /** Spells placeholder `number` for `name`; only where `c_0` would not parse in place of `name` (Ruby constants). */
  placeholder?(letter: "c" | "f" | "v", number: number, name: string): string;
}
