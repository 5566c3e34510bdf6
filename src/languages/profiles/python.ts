import type { Doc, FunctionShape, Profile } from "../_profile.js";
import { dedent } from "../_comments.js";
import type { SyntaxTree } from "../_tree.js";
import { pythonNames } from "./_python-names.js";

/** Python: `tree-sitter-python`. Documentation is the string that opens the body. */
export const python: Profile = {
  language: "python",
  grammar: "tree-sitter-python/tree-sitter-python.wasm",
  extensions: [".py", ".pyi"],
  comments: new Set(["comment"]),
  functions: new Set(["function_definition"]),
  scopes: new Set(["function_definition", "lambda"]),
  returns: new Set(["return_statement"]),
  looksInto: new Set(["block", "concatenated_string"]),
  docStatements: new Set(["expression_statement"]),
  shape,
  documentation: docstring,
  names: pythonNames,
};

function shape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const name = tree.childByField(node, "name");
  const body = tree.childByField(node, "body");
  if (name < 0 || body < 0 || tree.start(body) === tree.end(body)) return undefined;
  const outer = tree.parentKind(node) === "decorated_definition" ? tree.parent(node) : node;
  const holder = tree.parent(tree.parent(outer));
  const inClass = tree.parentKind(outer) === "block" && holder >= 0 && tree.kind(holder) === "class_definition";
  const text = tree.slice(name);
  const kind = !inClass ? "function" : text === "__init__" ? "constructor" : "method";
  return { name: text, kind, outer, body, inner: [afterColon(tree, node, body), tree.end(body)] };
}

/** The body's range begins behind the colon: the grammar leaves a first comment out of the block. */
function afterColon(tree: SyntaxTree, node: number, body: number): number {
  let start = tree.start(body);
  for (const child of tree.children(node)) {
    if (child < body && tree.kind(child) === ":") start = tree.end(child);
  }
  return start;
}

function docstring(tree: SyntaxTree, { body }: FunctionShape): Doc | undefined {
  for (const statement of tree.children(body)) {
    if (tree.kind(statement) === "comment") continue;
    if (tree.kind(statement) !== "expression_statement") return undefined;
    const literal = statement + 1;
    if (tree.last(literal) !== tree.last(statement)) return undefined; // "a", "b" is a tuple
    const text = literalText(tree, literal);
    return text === undefined
      ? undefined
      : { text: cleanDoc(text), start: tree.start(statement), end: tree.end(statement) };
  }
  return undefined;
}

/** The text between the quotes; undefined for bytes, f-strings and whatever is no literal. */
function literalText(tree: SyntaxTree, node: number): string | undefined {
  if (tree.kind(node) === "concatenated_string") {
    const parts = [...tree.children(node)].filter((child) => tree.kind(child) === "string");
    const texts = parts.map((part) => literalText(tree, part));
    return texts.includes(undefined) ? undefined : texts.join("");
  }
  if (tree.kind(node) !== "string") return undefined;
  const quoted = /^([A-Za-z]*)("""|'''|"|')([^]*)\2$/.exec(tree.slice(node));
  if (quoted === null || /[bft]/i.test(quoted[1]!)) return undefined;
  return quoted[3]!.replace(/\\\r?\n/g, "");
}

/** As Python's own `inspect.cleandoc`: the first line stands alone, the others share an indentation. */
function cleanDoc(text: string): string {
  const [first = "", ...rest] = text.split(/\r?\n/).map((line) => line.trimEnd().replace(/\t/g, "        "));
  return [first.trim(), ...dedent(rest)].join("\n").trim();
}
