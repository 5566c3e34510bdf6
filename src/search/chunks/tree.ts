import type { Node, Parser } from "web-tree-sitter";
import { functionValue, isGroup, nameOf, roleOf, wrapped, type Role } from "./_roles.js";
import type { Chunk, ChunkKind } from "./types.js";
import { lineStartsOf, windowChunks } from "./windows.js";

/** Functions longer than this are cut into windows that carry their name. */
const LONG_LINES = 80;
const LONG_UNITS = 5000;
/** A statement longer than this that defines nothing itself is searched for definitions inside. */
const BIG_LINES = 25;
const DEEPEST = 12;
const OUTLINE_UNITS = 1500;

interface Definition {
  readonly role: Exclude<Role, "other">;
  readonly name: string;
  /** Offsets with the documentation above. */
  readonly start: number;
  readonly end: number;
  /** The node whose members are definitions of their own; undefined for functions. */
  readonly holder: Node | undefined;
}

/** Cuts a file by its syntax tree, for any grammar: node types are judged by the words in their names. */
export function treeChunks(parser: Parser, text: string): Chunk[] {
  const tree = parser.parse(text);
  if (tree === null) return windowChunks(text, { kind: "module" });
  try {
    const cutter = new Cutter(text);
    cutter.region(tree.rootNode.namedChildren as Node[], 0, text.length, []);
    return cutter.chunks.sort((a, b) => a.startLine - b.startLine || a.endLine - b.endLine);
  } finally {
    tree.delete();
  }
}

class Cutter {
  readonly chunks: Chunk[] = [];
  private readonly starts: number[];

  constructor(private readonly text: string) {
    this.starts = lineStartsOf(text);
  }

  /** Definitions among `nodes` become chunks; what lies between them inside [start, end) becomes module text. */
  region(nodes: readonly Node[], start: number, end: number, scope: readonly string[]): void {
    const definitions = merged(this.definitions(nodes, 0), this.text);
    let at = start;
    for (const definition of definitions) {
      if (definition.start > at) this.gap(at, definition.start, scope);
      this.emit(definition, scope);
      at = Math.max(at, definition.end);
    }
    if (at < end) this.gap(at, end, scope);
  }

  private definitions(nodes: readonly Node[], depth: number): Definition[] {
    const found: Definition[] = [];
    nodes.forEach((node, i) => {
      const inner = wrapped(node);
      const role = roleOf(inner);
      const value = role === "other" ? functionValue(inner) : undefined;
      if (role !== "other" || value !== undefined) {
        const start = this.withComments(nodes, i, found.at(-1)?.end ?? 0);
        const name = value ?? nameOf(inner);
        const kind = role === "other" ? "function" : role;
        found.push({ role: kind, name, start, end: node.endIndex, holder: kind === "class" ? inner : undefined });
      } else if (depth < DEEPEST && (isOpen(inner) || node.endPosition.row - node.startPosition.row >= BIG_LINES)) {
        found.push(...this.definitions(inner.namedChildren as Node[], depth + 1));
      }
    });
    return found;
  }

  /** The start of a node's documentation: comments and attributes that stand right above it. */
  private withComments(nodes: readonly Node[], index: number, floor: number): number {
    let start = nodes[index]!.startIndex;
    for (let i = index - 1; i >= 0; i--) {
      const above = nodes[i]!;
      if (!/comment|haddock|attribute|decorator|annotation|^signature$|pragma/.test(above.type)) break;
      if (above.endIndex > start || above.startIndex < floor) break;
      if (/\n\s*\n\s*\n/.test(this.text.slice(above.endIndex, start))) break;
      if (/\S/.test(this.text.slice(above.endIndex, start))) break;
      // Behind code on its line, it belongs to that code.
      if (/\S/.test(this.text.slice(this.text.lastIndexOf("\n", above.startIndex - 1) + 1, above.startIndex))) break;
      start = above.startIndex;
    }
    return start;
  }

  private emit({ role, name, start, end, holder }: Definition, scope: readonly string[]): void {
    if (holder === undefined) {
      this.push(role === "function" && scope.length > 0 ? "method" : role, name, scope, start, end);
      return;
    }
    const inside = [...scope, name];
    const body = (holder.childForFieldName("body") ?? bodyOf(holder)) as Node | null;
    const members = body === null ? [] : merged(this.definitions(body.namedChildren as Node[], 0), this.text);
    const first = members[0];
    if (first === undefined) {
      if (isGroup(holder) && !this.text.slice(start, end).includes("\n")) return;
      this.push("class", name, scope, start, end);
      return;
    }
    if (!isGroup(holder)) this.classHeader(name, scope, start, end, members);
    let at = first.start;
    for (const member of members) {
      if (member.start > at) this.gap(at, member.start, inside);
      this.emit(member, inside);
      at = Math.max(at, member.end);
    }
  }

  /** The lines down to the first member, with an outline of the members as further text. */
  private classHeader(
    name: string,
    scope: readonly string[],
    start: number,
    end: number,
    members: readonly Definition[],
  ): void {
    const header = this.text.slice(start, members[0]!.start).trimEnd();
    const small = this.line(end - 1) - this.line(start) < 12;
    const lines: string[] = [header.slice(0, LONG_UNITS)];
    let units = 0;
    for (const member of members) {
      const own = this.text.slice(member.start, member.end);
      const from = Math.max(0, own.indexOf(member.name));
      const line = own.slice(own.lastIndexOf("\n", from) + 1).split("\n", 1)[0]!;
      units += line.length;
      if (units > OUTLINE_UNITS) break;
      lines.push(line.slice(0, 200));
    }
    this.chunks.push({
      kind: "class",
      name,
      scope,
      startLine: this.line(start) + 1,
      endLine: this.line(small ? end - 1 : Math.max(start, start + header.length - 1)) + 1,
      text: small ? this.text.slice(start, end) : lines.join("\n"),
    });
  }

  private push(kind: ChunkKind, name: string, scope: readonly string[], start: number, end: number): void {
    const text = this.text.slice(start, end).trimEnd();
    if (text.trim() === "") return;
    const [first, last] = [this.line(start), this.line(start + text.length - 1)];
    if (last - first < LONG_LINES && text.length < LONG_UNITS) {
      this.chunks.push({ kind, name, scope, startLine: first + 1, endLine: last + 1, text });
    } else this.chunks.push(...windowChunks(text, { kind, name, scope, firstLine: first }));
  }

  /** Text between definitions: imports, constants, statements. Brackets alone say nothing. */
  private gap(start: number, end: number, scope: readonly string[]): void {
    const text = this.text.slice(start, end);
    if (!/[\p{L}\p{N}]{2}/u.test(text)) return;
    const head = /^\s*\n/.exec(text)?.[0].length ?? 0;
    const firstLine = this.line(start + head);
    const name = scope.at(-1);
    const chunks = windowChunks(text.slice(head), {
      kind: scope.length === 0 ? "module" : "class",
      firstLine,
      scope: scope.slice(0, -1),
      ...(name === undefined ? {} : { name }),
    });
    this.chunks.push(...chunks.filter((chunk) => /[\p{L}\p{N}]{2}/u.test(chunk.text)));
  }

  /** 0-based line of an offset. */
  private line(offset: number): number {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Neighbours of one name become one: overloads, clauses, a signature above its function. */
function merged(definitions: readonly Definition[], text: string): Definition[] {
  const out: Definition[] = [];
  for (const definition of definitions) {
    const last = out.at(-1);
    const joins =
      last !== undefined &&
      last.role !== "class" &&
      definition.role !== "class" &&
      last.name === definition.name &&
      definition.end - last.start < LONG_UNITS / 2 &&
      !/\S/.test(text.slice(last.end, definition.start).replace(/[;,]/g, ""));
    if (joins) out[out.length - 1] = { ...last, end: definition.end };
    else out.push(definition);
  }
  return out;
}

/** Nodes that only hold others. */
function isOpen(node: Node): boolean {
  return /^(?:preproc_|declarations$|linkage_specification|declaration_list|program$|export_statement|body_statement|source_file|statement_block$|block$|global_statement)/.test(
    node.type,
  );
}

function bodyOf(holder: Node): Node | null {
  const children = holder.namedChildren as Node[];
  for (let i = children.length - 1; i >= 0; i--) {
    if (/body|block|_list$|declarations$/.test(children[i]!.type)) return children[i]!;
  }
  return null;
}
