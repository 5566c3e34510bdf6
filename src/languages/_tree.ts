import type { Node, Parser } from "web-tree-sitter";
import { internalError } from "../base/index.js";
import { cursorOf, type Cursor } from "./_cursor.js";

/** Tree-sitter gives this symbol to text that it could not parse. */
const ERROR_SYMBOL = 65535;

/**
 * A syntax tree as flat arrays in preorder: node `i`'s descendants are `i + 1 .. last(i) - 1`.
 *
 * One cursor walk copies tree-sitter's tree out of WebAssembly memory, which is then freed at once. What follows is
 * plain loops over indices: no recursion (100,000 nested brackets are only a long array), no handles to release, and no
 * call across the WebAssembly boundary, which is what dominates when rules ask for parents and siblings.
 */
export class SyntaxTree {
  private constructor(
    readonly text: string,
    private readonly names: readonly string[],
    private readonly fields: readonly (string | null)[],
    private readonly symbol: Uint16Array,
    private readonly fieldId: Uint16Array,
    private readonly starts: Int32Array,
    private readonly ends: Int32Array,
    private readonly parents: Int32Array,
    private readonly lasts: Int32Array,
    /** Number of nodes. */
    readonly size: number,
    /** Indices of error and missing nodes, ascending. */
    readonly errors: readonly number[],
  ) {}

  /**
   * Parses `text` and copies the tree. The parser's language must be set.
   *
   * With an `outline`, only what lies on the way to the nodes it asks for is copied: most of a file is expressions that
   * nobody looks into, and each node costs half a dozen calls into WebAssembly. The nodes above those asked for have all
   * their children; nodes passed over are leaves here.
   */
  static parse(parser: Parser, text: string, outline?: Outline): SyntaxTree {
    const tree = parser.parse(text);
    if (tree === null) throw internalError("tree-sitter returned no tree");
    try {
      const plan = outline === undefined ? undefined : new Descent(parser, tree.rootNode, text, outline);
      const cursor = cursorOf(tree);
      try {
        let capacity = Math.max(64, text.length >> 1);
        let symbol = new Uint16Array(capacity);
        let fieldId = new Uint16Array(capacity);
        let starts = new Int32Array(capacity);
        let ends = new Int32Array(capacity);
        let parents = new Int32Array(capacity);
        const errors: number[] = [];
        let size = 0;
        let parent = -1;
        let lasts = new Int32Array(capacity);
        walk: for (;;) {
          if (size === capacity) {
            capacity *= 2;
            symbol = grow(symbol, new Uint16Array(capacity));
            fieldId = grow(fieldId, new Uint16Array(capacity));
            starts = grow(starts, new Int32Array(capacity));
            ends = grow(ends, new Int32Array(capacity));
            parents = grow(parents, new Int32Array(capacity));
            lasts = grow(lasts, new Int32Array(capacity));
          }
          const id = cursor.typeId();
          const start = cursor.start();
          const end = cursor.end();
          symbol[size] = id;
          fieldId[size] = cursor.fieldId();
          starts[size] = start;
          ends[size] = end;
          parents[size] = parent;
          // Only nodes without extent can be missing ones; asking each would cost another call per node.
          if (id === ERROR_SYMBOL || (start === end && cursor.isMissing())) errors.push(size);
          size += 1;
          if ((plan === undefined || plan.goesInto(cursor, id, start, end)) && cursor.toFirstChild()) {
            parent = size - 1;
            continue;
          }
          lasts[size - 1] = size;
          while (!cursor.toNextSibling()) {
            if (!cursor.toParent()) break walk;
            lasts[parent] = size;
            parent = parents[parent]!;
          }
        }
        const { types, fields } = parser.language!;
        return new SyntaxTree(
          text,
          types,
          fields,
          symbol.subarray(0, size),
          fieldId.subarray(0, size),
          starts.subarray(0, size),
          ends.subarray(0, size),
          parents.subarray(0, size),
          lasts.subarray(0, size),
          size,
          errors,
        );
      } finally {
        cursor.delete();
      }
    } finally {
      tree.delete();
    }
  }

  /** The grammar's name of the node: `function_declaration`, `(`, ...; `ERROR` for what could not be parsed. */
  kind(node: number): string {
    return this.names[this.symbol[node]!] ?? "ERROR";
  }

  /** The kind of the parent; the empty string for the root. */
  parentKind(node: number): string {
    const parent = this.parents[node]!;
    return parent < 0 ? "" : this.kind(parent);
  }

  /** The field of the parent that the node fills, such as `name` or `body`; undefined where it fills none. */
  field(node: number): string | undefined {
    const id = this.fieldId[node]!;
    return id === 0 ? undefined : (this.fields[id] ?? undefined);
  }

  /** Parent index, -1 for the root. */
  parent(node: number): number {
    return this.parents[node]!;
  }

  start(node: number): number {
    return this.starts[node]!;
  }

  end(node: number): number {
    return this.ends[node]!;
  }

  /** One past the node's last descendant. */
  last(node: number): number {
    return this.lasts[node]!;
  }

  slice(node: number): string {
    return this.text.slice(this.starts[node], this.ends[node]);
  }

  /** True for nodes without children: tokens. */
  isLeaf(node: number): boolean {
    return this.lasts[node] === node + 1;
  }

  /** The first child that fills `field`, or -1. */
  childByField(node: number, field: string): number {
    const last = this.lasts[node]!;
    for (let child = node + 1; child < last; child = this.lasts[child]!) {
      if (this.field(child) === field) return child;
    }
    return -1;
  }

  /** The first child of one of `kinds`, or -1. */
  childOfKind(node: number, ...kinds: readonly string[]): number {
    const last = this.lasts[node]!;
    for (let child = node + 1; child < last; child = this.lasts[child]!) {
      if (kinds.includes(this.kind(child))) return child;
    }
    return -1;
  }

  /** The children, anonymous tokens and comments included. */
  *children(node: number): Generator<number> {
    const last = this.lasts[node]!;
    for (let child = node + 1; child < last; child = this.lasts[child]!) yield child;
  }

  /** The sibling before the node, or -1. */
  previous(node: number): number {
    const parent = this.parents[node]!;
    if (parent < 0 || node === parent + 1) return -1;
    let child = parent + 1;
    while (this.lasts[child]! < node) child = this.lasts[child]!;
    return child;
  }

  /** The sibling after the node, or -1. */
  next(node: number): number {
    const parent = this.parents[node]!;
    const after = this.lasts[node]!;
    return parent >= 0 && after < this.lasts[parent]! ? after : -1;
  }

  /** The nearest ancestor of one of `kinds`, or -1. */
  ancestor(node: number, kinds: ReadonlySet<string>): number {
    let at = this.parents[node]!;
    while (at >= 0 && !kinds.has(this.kind(at))) at = this.parents[at]!;
    return at;
  }
}

/** What {@link SyntaxTree.parse} is to copy. Kinds are the grammar's names of nodes. */
export interface Outline {
  /** Nodes wanted, wherever they are. */
  readonly wanted: readonly string[];
  /** Of those: nodes that nothing is wanted inside of. */
  readonly closed: ReadonlySet<string>;
  /** Nodes that are gone into wherever they are met. */
  readonly open: ReadonlySet<string>;
  /** Nodes that are gone into where their text begins with a quotation mark, behind a letter or two. */
  readonly quoted: ReadonlySet<string>;
}

const CLOSED = 1;
const OPEN = 2;
const QUOTED = 4;

/** Decides which nodes of one tree a walk in preorder goes into. */
class Descent {
  private readonly starts: Int32Array;
  private readonly flags: Uint8Array;
  private readonly hasErrors: boolean;
  private next = 0;

  constructor(
    parser: Parser,
    root: Node,
    private readonly text: string,
    outline: Outline,
  ) {
    this.hasErrors = root.hasError;
    const wanted = root.descendantsOfType([...outline.wanted]);
    this.starts = Int32Array.from(wanted, (node) => node.startIndex);
    this.flags = flagsOf(parser, outline);
  }

  goesInto(cursor: Cursor, id: number, start: number, end: number): boolean {
    const flags = this.flags[id] ?? 0;
    if ((flags & CLOSED) !== 0) return false;
    if ((flags & OPEN) !== 0) return true;
    const { starts } = this;
    // Starts only grow on the way through the tree, but for nodes that begin where their parent does.
    while (this.next < starts.length && starts[this.next]! < start) this.next += 1;
    if (this.next < starts.length && starts[this.next]! < end) return true;
    if ((flags & QUOTED) !== 0 && QUOTE.test(this.text.slice(start, start + 3))) return true;
    return id === ERROR_SYMBOL || (this.hasErrors && cursor.hasError());
  }
}

const QUOTE = /^[A-Za-z]{0,2}["']/;
const flagTables = new WeakMap<Outline, WeakMap<object, Uint8Array>>();

function flagsOf(parser: Parser, outline: Outline): Uint8Array {
  const { language } = parser;
  let tables = flagTables.get(outline);
  if (tables === undefined) flagTables.set(outline, (tables = new WeakMap()));
  const known = tables.get(language!);
  if (known !== undefined) return known;
  const flags = Uint8Array.from(
    language!.types,
    (kind) =>
      (outline.closed.has(kind) ? CLOSED : 0) |
      (outline.open.has(kind) ? OPEN : 0) |
      (outline.quoted.has(kind) ? QUOTED : 0),
  );
  tables.set(language!, flags);
  return flags;
}

function grow<T extends Uint16Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
