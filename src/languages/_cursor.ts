import { Tree, type TreeCursor } from "web-tree-sitter";

/** A walk over a tree; stands at one node. Offsets are in UTF-16 code units. */
export interface Cursor {
  typeId(): number;
  start(): number;
  end(): number;
  fieldId(): number;
  isMissing(): boolean;
  /** Whether the node or something in it could not be parsed. */
  hasError(): boolean;
  toFirstChild(): boolean;
  toNextSibling(): boolean;
  toParent(): boolean;
  /** Frees it. */
  delete(): void;
}

/**
 * The functions that web-tree-sitter's own cursor calls. Emscripten puts them on the object that its start is given;
 * they take the tree's address and find the cursor in a buffer of fixed place.
 */
interface Exports {
  readonly HEAP32: Int32Array;
  _ts_init(): number;
  _ts_tree_cursor_current_node_type_id_wasm(tree: number): number;
  _ts_tree_cursor_start_index_wasm(tree: number): number;
  _ts_tree_cursor_end_index_wasm(tree: number): number;
  _ts_tree_cursor_current_field_id_wasm(tree: number): number;
  _ts_tree_cursor_current_node_is_missing_wasm(tree: number): number;
  _ts_tree_cursor_goto_first_child_wasm(tree: number): number;
  _ts_tree_cursor_goto_next_sibling_wasm(tree: number): number;
  _ts_tree_cursor_goto_parent_wasm(tree: number): number;
  _ts_tree_cursor_current_node_wasm(tree: number): void;
  _ts_node_has_error_wasm(tree: number): number;
}
const NEEDED = [
  ...["_ts_tree_cursor_current_node_type_id_wasm", "_ts_tree_cursor_start_index_wasm"],
  ...["_ts_tree_cursor_end_index_wasm", "_ts_tree_cursor_current_field_id_wasm"],
  ...["_ts_tree_cursor_current_node_is_missing_wasm", "_ts_tree_cursor_goto_first_child_wasm"],
  ...["_ts_tree_cursor_goto_next_sibling_wasm", "_ts_tree_cursor_goto_parent_wasm"],
  ...["_ts_tree_cursor_current_node_wasm", "_ts_node_has_error_wasm", "_ts_init"],
];

let direct: { readonly exports: Exports; readonly buffer: number } | undefined;

/** Takes the object that `Parser.init` was given; where it lacks a function, the library's own cursor is used. */
export function useExports(module: object): void {
  const found = module as Readonly<Record<string, unknown>>;
  if (!(found["HEAP32"] instanceof Int32Array) || NEEDED.some((name) => typeof found[name] !== "function")) return;
  const exports = found as unknown as Exports;
  direct = { exports, buffer: exports._ts_init() };
}

/** A cursor at the root of `tree`. At most one may be in use at a time, and no other tree be asked meanwhile. */
export function cursorOf(tree: Tree): Cursor {
  const cursor = tree.walk();
  return direct !== undefined && tree instanceof Tree
    ? new DirectCursor(direct.exports, direct.buffer, tree, cursor)
    : new LibraryCursor(cursor);
}

/** The four words that make a cursor. */
const WORDS = [0, 1, 2, 3] as const;

/**
 * Leaves the cursor in the buffer between calls. The library's own copies it there before and back after every call,
 * word by word, which costs several times what the call itself does.
 */
class DirectCursor implements Cursor {
  private readonly tree: number;
  /** Of the buffer, in HEAP32. */
  private readonly at: number;

  constructor(
    private readonly exports: Exports,
    buffer: number,
    tree: Tree,
    private readonly library: TreeCursor,
  ) {
    this.tree = (tree as unknown as Readonly<Record<0, number>>)[0];
    this.at = buffer >> 2;
    const words = library as unknown as Readonly<Record<0 | 1 | 2 | 3, number>>;
    for (const word of WORDS) exports.HEAP32[this.at + word] = words[word];
  }

  typeId(): number {
    return this.exports._ts_tree_cursor_current_node_type_id_wasm(this.tree);
  }

  start(): number {
    return this.exports._ts_tree_cursor_start_index_wasm(this.tree);
  }

  end(): number {
    return this.exports._ts_tree_cursor_end_index_wasm(this.tree);
  }

  fieldId(): number {
    return this.exports._ts_tree_cursor_current_field_id_wasm(this.tree);
  }

  isMissing(): boolean {
    return this.exports._ts_tree_cursor_current_node_is_missing_wasm(this.tree) === 1;
  }

  hasError(): boolean {
    // The node is answered in the same buffer.
    const { at } = this;
    const saved = this.exports.HEAP32.slice(at, at + WORDS.length);
    this.exports._ts_tree_cursor_current_node_wasm(this.tree);
    const hasError = this.exports._ts_node_has_error_wasm(this.tree) === 1;
    this.exports.HEAP32.set(saved, at); // Memory may have grown: the view is read again.
    return hasError;
  }

  toFirstChild(): boolean {
    return this.exports._ts_tree_cursor_goto_first_child_wasm(this.tree) === 1;
  }

  toNextSibling(): boolean {
    return this.exports._ts_tree_cursor_goto_next_sibling_wasm(this.tree) === 1;
  }

  toParent(): boolean {
    return this.exports._ts_tree_cursor_goto_parent_wasm(this.tree) === 1;
  }

  delete(): void {
    // Its stack may have moved: the library frees what it finds here.
    const words = this.library as unknown as Record<0 | 1 | 2 | 3, number>;
    for (const word of WORDS) words[word] = this.exports.HEAP32[this.at + word]!;
    this.library.delete();
  }
}

/** The library's cursor as it is. */
class LibraryCursor implements Cursor {
  constructor(private readonly cursor: TreeCursor) {}

  typeId(): number {
    return this.cursor.nodeTypeId;
  }

  start(): number {
    return this.cursor.startIndex;
  }

  end(): number {
    return this.cursor.endIndex;
  }

  fieldId(): number {
    return this.cursor.currentFieldId;
  }

  isMissing(): boolean {
    return this.cursor.nodeIsMissing;
  }

  hasError(): boolean {
    return this.cursor.currentNode.hasError;
  }

  toFirstChild(): boolean {
    return this.cursor.gotoFirstChild();
  }

  toNextSibling(): boolean {
    return this.cursor.gotoNextSibling();
  }

  toParent(): boolean {
    return this.cursor.gotoParent();
  }

  delete(): void {
    this.cursor.delete();
  }
}
