import { dedent } from "./_comments.js";
import { cut, type Span } from "./_cut.js";
import type { Doc, FunctionShape, Profile } from "./_profile.js";
import type { Outline, SyntaxTree } from "./_tree.js";
import type { ExtractedFunction } from "./types.js";

const outlines = new WeakMap<Profile, Outline>();

/** What {@link functionsOf} needs of a tree. */
export function outlineOf(profile: Profile): Outline {
  const known = outlines.get(profile);
  if (known !== undefined) return known;
  const { comments, functions, scopes, returns, looksInto, docStatements } = profile;
  const outline: Outline = {
    wanted: [...new Set([...comments, ...functions, ...scopes, ...returns])],
    closed: comments,
    open: looksInto ?? new Set(),
    quoted: docStatements ?? new Set(),
  };
  outlines.set(profile, outline);
  return outline;
}

/** Every sound function of the tree, in order of its start; outer functions before those inside them. */
export function functionsOf(tree: SyntaxTree, profile: Profile): ExtractedFunction[] {
  const comments: number[] = [];
  const candidates: number[] = [];
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    if (profile.comments.has(kind)) comments.push(node);
    else if (profile.functions.has(kind)) candidates.push(node);
  }
  const lines = lineStarts(tree.text);
  const found: ExtractedFunction[] = [];
  for (const node of candidates) {
    const shape = profile.shape(tree, node);
    if (shape === undefined || !isSound(tree, profile, shape)) continue;
    const made = extract(tree, profile, shape, comments, lines);
    // A type annotation is no documentation of a callback.
    if (shape.onlyDocumented !== true || /^(?!@type\b)./.test(made.docstring ?? "")) found.push(made);
  }
  return found.sort((a, b) => a.start - b.start || b.end - a.end);
}

function extract(
  tree: SyntaxTree,
  profile: Profile,
  shape: FunctionShape,
  comments: readonly number[],
  lines: Int32Array,
): ExtractedFunction {
  const { text } = tree;
  const start = tree.start(shape.first ?? shape.outer);
  const end = trimmedEnd(text, start, tree.end(shape.outer));
  const doc = profile.documentation(tree, shape, comments);
  let body: string | undefined;
  let inner: string | undefined;
  let bodyLines: number | undefined;
  const docInside: Span[] = doc !== undefined && doc.start >= start && doc.end <= end ? [[doc.start, doc.end]] : [];
  return {
    name: shape.name,
    kind: shape.kind,
    start,
    end,
    startLine: lineOf(lines, start) + 1,
    endLine: lineOf(lines, end - 1) + 1,
    code: cut(text, start, end, docInside),
    docstring: doc === undefined || doc.text === "" ? undefined : doc.text,
    docSpan: doc === undefined || doc.text === "" ? undefined : [doc.start, doc.end],
    // Most functions have no documentation, and nobody asks for their bodies.
    get body() {
      return (body ??= bodyOnly(tree, profile, shape, doc, true));
    },
    get inner() {
      return (inner ??= bodyOnly(tree, profile, shape, doc, false));
    },
    get bodyLines() {
      return (bodyLines ??= codeLines(tree, profile, shape, doc, comments));
    },
  };
}

/** The inside of the function without docstring and, if so asked, its own return statements, dedented. */
function bodyOnly(
  tree: SyntaxTree,
  profile: Profile,
  shape: FunctionShape,
  doc: Doc | undefined,
  cutReturns: boolean,
): string {
  // The body that is one returned expression is all return.
  if (shape.inner === undefined && cutReturns) return "";
  const [start, end] = codeRange(tree, profile, shape.inner ?? [tree.start(shape.body), tree.end(shape.body)]);
  const spans: Span[] = [];
  if (doc !== undefined && doc.start >= start && doc.end <= end) spans.push([doc.start, doc.end]);
  const last = cutReturns ? tree.last(shape.body) : 0;
  for (let node = shape.body + 1; node < last; node++) {
    const kind = tree.kind(node);
    // Keywords share their names with nodes in some grammars (Ruby's `return`): those are leaves inside the statement.
    const isReturn = profile.returns.has(kind);
    if (isReturn && tree.start(node) >= start && tree.end(node) <= end) {
      const wrapped = profile.returnWrappers?.has(tree.parentKind(node)) === true && tree.field(node) === "body";
      const whole = wrapped ? tree.parent(node) : node;
      spans.push([tree.start(whole), tree.end(whole)]);
    }
    if (isReturn || profile.scopes.has(kind)) node = tree.last(node) - 1;
  }
  spans.sort((a, b) => a[0] - b[0]);
  // From the start of the first line, so that its indentation counts with the others'.
  const lineStart = tree.text.lastIndexOf("\n", start - 1) + 1;
  const from = /^\s*$/.test(tree.text.slice(lineStart, start)) ? lineStart : start;
  const rest = cut(tree.text, from, end, spans).split("\n");
  const lines = rest.map((line) => line.trimEnd());
  while (lines.length > 0 && lines[0] === "") lines.shift();
  while (lines.length > 0 && lines.at(-1) === "") lines.pop();
  // What shares a line with the opening brace says nothing about the indentation.
  const [head = "", ...others] = lines;
  return (from === lineStart ? dedent(lines) : [head.trim(), ...dedent(others)]).join("\n").trim();
}

/** A body's range without the directive that opens it. */
function codeRange(tree: SyntaxTree, profile: Profile, [start, end]: Span): Span {
  const directive = profile.directive?.exec(tree.text.slice(start, Math.min(end, start + 200)));
  return directive == null ? [start, end] : [start + directive[0].length, end];
}

/** Lines of the body with something besides comments, docstring and blanks. */
function codeLines(
  tree: SyntaxTree,
  profile: Profile,
  shape: FunctionShape,
  doc: Doc | undefined,
  comments: readonly number[],
): number {
  const whole = shape.inner ?? [tree.start(shape.body), tree.end(shape.body)];
  const [start, end] = codeRange(tree, profile, whole);
  const spans: Span[] = [];
  if (doc !== undefined && doc.start >= start && doc.end <= end) spans.push([doc.start, doc.end]);
  let low = 0;
  let high = comments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tree.start(comments[middle]!) < start) low = middle + 1;
    else high = middle;
  }
  for (let i = low; i < comments.length && tree.end(comments[i]!) <= end; i++) {
    spans.push([tree.start(comments[i]!), tree.end(comments[i]!)]);
  }
  spans.sort((a, b) => a[0] - b[0]);
  let count = 0;
  for (const line of cut(tree.text, start, end, spans).split("\n")) if (/\S/.test(line)) count += 1;
  return count;
}

/**
 * A parse error inside a statement does not lose the function; one that may have moved its end does: an error in the
 * signature, one that swallowed a brace or a definition, a missing end, or errors over a good part of the text.
 */
function isSound(tree: SyntaxTree, profile: Profile, shape: FunctionShape): boolean {
  const { outer } = shape;
  const bodyLast = tree.last(shape.body);
  let broken = 0;
  for (let i = firstAtLeast(tree.errors, outer); i < tree.errors.length; i++) {
    const error = tree.errors[i]!;
    if (error >= tree.last(outer)) break;
    const text = tree.slice(error);
    if (error < shape.body && profile.harmlessInHead?.test(text) === true) {
      i = firstAtLeast(tree.errors, tree.last(error)) - 1;
      continue;
    }
    if (error <= shape.body || error >= bodyLast) return false;
    if (text === "" && /^(?:[{}]|end)$/.test(tree.kind(error))) return false;
    if (/[{}]|\b(?:def|class|end|func|function)\b/.test(text)) return false;
    broken += text.length;
  }
  return broken <= Math.max(60, 0.1 * (tree.end(outer) - tree.start(outer)));
}

function firstAtLeast(sorted: readonly number[], bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Some grammars let a definition run over the blanks behind it. */
function trimmedEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && text.charCodeAt(at - 1) <= 32) at -= 1;
  return at;
}

function lineStarts(text: string): Int32Array {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return Int32Array.from(starts);
}

/** 0-based line of an offset. */
function lineOf(starts: Int32Array, offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The functions of a piece of a text, placed in the whole. */
export function shifted(found: ExtractedFunction, by: number, lines: number): ExtractedFunction {
  const { start, end, startLine, endLine, docSpan } = found;
  // Descriptors, so that what is worked out on demand still is.
  return Object.defineProperties({} as ExtractedFunction, {
    ...Object.getOwnPropertyDescriptors(found),
    ...Object.getOwnPropertyDescriptors({
      start: start + by,
      end: end + by,
      startLine: startLine + lines,
      endLine: endLine + lines,
      docSpan: docSpan === undefined ? undefined : ([docSpan[0] + by, docSpan[1] + by] as const),
    }),
  });
}
