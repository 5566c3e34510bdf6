import { docAbove } from "../_comments.js";
import type { FunctionShape, Profile } from "../_profile.js";
import type { SyntaxTree } from "../_tree.js";
import type { FunctionKind } from "../types.js";
import { insideBraces, STARRED_BLOCKS } from "./_brace.js";
import { scriptNames } from "./_script-names.js";

export const FUNCTION_VALUES: ReadonlySet<string> = new Set([
  "function_expression",
  "arrow_function",
  "generator_function",
]);

/** JavaScript: `tree-sitter-javascript`; JSX included. */
export const javascript: Profile = {
  language: "javascript",
  grammar: "tree-sitter-javascript/tree-sitter-javascript.wasm",
  extensions: [".js", ".mjs", ".cjs", ".jsx"],
  comments: new Set(["comment", "html_comment"]),
  functions: new Set([
    "function_declaration",
    "generator_function_declaration",
    "method_definition",
    ...FUNCTION_VALUES,
  ]),
  scopes: new Set([
    "function_declaration",
    "generator_function_declaration",
    "method_definition",
    "class_static_block",
    ...FUNCTION_VALUES,
  ]),
  returns: new Set(["return_statement"]),
  directive: /^\s*(?:"use strict"|'use strict');?/,
  shape: scriptShape,
  documentation: (tree, shape, comments) => {
    const style = STARRED_BLOCKS;
    const above = docAbove(tree, comments, tree.start(shape.first ?? shape.outer), style);
    // TypeScript also allows it between decorators and the method.
    return above ?? (shape.first === undefined ? undefined : docAbove(tree, comments, tree.start(shape.outer), style));
  },
  names: scriptNames,
};

/** The function at a node of the JavaScript or TypeScript grammar. */
export function scriptShape(tree: SyntaxTree, node: number): FunctionShape | undefined {
  const body = tree.childByField(node, "body");
  if (body < 0) return undefined;
  const inner = tree.kind(body) === "statement_block" ? insideBraces(tree, body) : undefined;
  if (FUNCTION_VALUES.has(tree.kind(node))) {
    const bound = binding(tree, node);
    return bound === undefined ? undefined : { ...bound, body, inner };
  }
  const name = tree.childByField(node, "name");
  if (name < 0 || tree.kind(name) === "computed_property_name") return undefined;
  if (tree.kind(node) === "method_definition") {
    const kind: FunctionKind = tree.slice(name) === "constructor" ? "constructor" : "method";
    return { name: plainName(tree, name), kind, outer: node, first: firstDecorator(tree, node), body, inner };
  }
  return { name: tree.slice(name), kind: "function", outer: exported(tree, node), body, inner };
}

type Binding = Pick<FunctionShape, "name" | "kind" | "outer" | "onlyDocumented">;

/** What a function value is called: by the variable, property or field that it is stored in. */
function binding(tree: SyntaxTree, node: number): Binding | undefined {
  const parent = tree.parent(node);
  switch (tree.parentKind(node)) {
    case "variable_declarator": {
      const name = tree.childByField(parent, "name");
      if (name < 0 || tree.kind(name) !== "identifier") return undefined;
      const declaration = tree.parent(parent);
      const only = declarators(tree, declaration) === 1;
      return { name: tree.slice(name), kind: "function", outer: only ? exported(tree, declaration) : parent };
    }
    case "assignment_expression":
      return assigned(tree, node, parent);
    case "pair":
    case "field_definition":
    case "public_field_definition": {
      const name = tree.childByField(parent, tree.kind(parent) === "pair" ? "key" : nameField(tree, parent));
      if (name < 0 || tree.kind(name) === "computed_property_name") return undefined;
      return { name: plainName(tree, name), kind: "method", outer: parent };
    }
    case "arguments":
      return wrapped(tree, node, parent);
    case "export_statement":
      return { name: ownName(tree, node) ?? "default", kind: "function", outer: parent };
    default:
      return undefined;
  }
}

/** Calls whose function holds a whole module or a group of tests. */
const MODULE_WRAPPER = /^(?:define|require|module|ready|\$|jQuery|describe|suite|context|provide|add|use)?$/;

/**
 * The function that a call is given, where documentation above the call is about it: `const f = memoize(() => ...)`,
 * `register("name", function () { ... });`. Only where it is the call's one function.
 */
function wrapped(tree: SyntaxTree, node: number, list: number): Binding | undefined {
  let text: string | undefined;
  for (const child of tree.children(list)) {
    if (child !== node && FUNCTION_VALUES.has(tree.kind(child))) return undefined;
    if (tree.kind(child) === "string") text = /[\p{L}\p{N}_$]+(?=["'`]$)/u.exec(tree.slice(child))?.[0] ?? text;
  }
  const call = tree.parent(list);
  if (tree.kind(call) !== "call_expression") return undefined;
  const own = ownName(tree, node);
  switch (tree.parentKind(call)) {
    case "variable_declarator":
    case "assignment_expression":
    case "pair":
    case "field_definition":
    case "public_field_definition": {
      const bound = binding(tree, call);
      return bound === undefined ? undefined : { ...bound, onlyDocumented: true };
    }
    case "expression_statement": {
      const callee = /[\p{L}\p{N}_$]*$/u.exec(tree.slice(tree.childByField(call, "function")))![0];
      if (MODULE_WRAPPER.test(callee)) return undefined;
      return { name: own ?? text ?? callee, kind: "function", outer: tree.parent(call), onlyDocumented: true };
    }
    default:
      return undefined;
  }
}

/** `exports.area = function () {}`, `Foo.prototype.bar = () => 1`, also chained. */
function assigned(tree: SyntaxTree, node: number, assignment: number): Binding | undefined {
  const left = tree.childByField(assignment, "left");
  let name: string | undefined;
  let kind: FunctionKind = "function";
  if (tree.kind(left) === "identifier") name = tree.slice(left);
  else if (tree.kind(left) === "member_expression") {
    name = /[\p{L}\p{N}_$]*$/u.exec(tree.slice(left))![0];
    if (/\.prototype\b|^this\./.test(tree.slice(left))) kind = "method";
    if (/^(?:module\.)?exports$/.test(tree.slice(left))) name = ownName(tree, node) ?? "exports";
  }
  if (name === undefined) return undefined;
  let outer = assignment;
  while (tree.parentKind(outer) === "assignment_expression") outer = tree.parent(outer);
  if (tree.parentKind(outer) === "expression_statement") outer = tree.parent(outer);
  return { name, kind, outer };
}

function nameField(tree: SyntaxTree, field: number): string {
  return tree.childByField(field, "property") >= 0 ? "property" : "name";
}

function ownName(tree: SyntaxTree, node: number): string | undefined {
  const name = tree.childByField(node, "name");
  return name < 0 ? undefined : tree.slice(name);
}

/** Without the quotes of `"name": function () {}` and the mark of `#name() {}`. */
function plainName(tree: SyntaxTree, node: number): string {
  return tree.slice(node).replace(/^#|^["']|["']$/g, "");
}

function exported(tree: SyntaxTree, declaration: number): number {
  return tree.parentKind(declaration) === "export_statement" ? tree.parent(declaration) : declaration;
}

function declarators(tree: SyntaxTree, declaration: number): number {
  let count = 0;
  for (const child of tree.children(declaration)) if (tree.kind(child) === "variable_declarator") count += 1;
  return count;
}

/** TypeScript's grammar puts a method's decorators before it, as siblings. */
function firstDecorator(tree: SyntaxTree, node: number): number {
  let first = node;
  for (let at = tree.previous(node); at >= 0; at = tree.previous(at)) {
    if (tree.kind(at) === "decorator") first = at;
    else if (tree.kind(at) !== "comment") break;
  }
  return first;
}
