import type { Node } from "web-tree-sitter";

/** What a syntax node defines, judged by its type's name, so that it works for grammars nobody described to us. */
export type Role = "function" | "class" | "other";

const FUNCTION =
  /(?:^|_)(?:function|method|constructor|destructor|procedure|macro|init|deinit|subroutine|fn|operator)(?:_|$)/;
const CLASS =
  /(?:^|_)(?:class|interface|struct|enum|trait|impl|record|union|object|protocol|extension|module|mod|namespace|contract|instance|data_type|newtype|delegate|actor|mixin|type)(?:_|$)/;
/** Parts of a definition, uses of one, and types as they are written. */
const PART =
  /body|call|invocation|expression|argument|parameter|modifier|declarator|reference|name$|identifier|literal|pointer|_value|pattern|import|access|annotation|comment|constraint|bound|_type$|^type$|primitive|generic|arguments|access|header|selector|bind_|creation|predefined|^object$/;
const DEFINES =
  /(?:declaration|definition|item|spec|specifier|statement|signature|def|method|clause|^function|function$|^class$|^module$|^instance$|^data_type$|^newtype$|alias)/;

const cache = new Map<string, Role>();
/** Calls that define in Elixir. */
const ELIXIR_FUNCTIONS = new Set(["def", "defp", "defmacro", "defmacrop", "defguard", "test"]);
const ELIXIR_MODULES = new Set(["defmodule", "defprotocol", "defimpl", "describe"]);

/** The role of a node. */
export function roleOf(node: Node): Role {
  const { type } = node;
  if (type === "call" || type === "macro_call") return callRole(node);
  let role = cache.get(type);
  if (role === undefined) {
    role =
      PART.test(type) || !DEFINES.test(type)
        ? "other"
        : FUNCTION.test(type)
          ? "function"
          : CLASS.test(type)
            ? "class"
            : "other";
    if (type === "singleton_method") role = "function";
    if (type === "singleton_class") role = "class";
    cache.set(type, role);
  }
  // `struct x y;` names a type, it does not define it.
  if (role === "class" && /_specifier$/.test(type) && node.childForFieldName("body") === null) return "other";
  return role;
}

function callRole(node: Node): Role {
  const target = node.childForFieldName("target");
  if (target === null) return "other";
  if (ELIXIR_FUNCTIONS.has(target.text)) return "function";
  return ELIXIR_MODULES.has(target.text) ? "class" : "other";
}

const WRAPPERS =
  /^(?:export_statement|decorated_definition|template_declaration|ambient_declaration|type_declaration|expression_statement|internal_module|top_level_\w+|declaration|public_\w+_declaration)$/;

/** The definition inside `export`, decorators, a template; the node itself where there is none. */
export function wrapped(node: Node): Node {
  let at = node;
  for (let depth = 0; depth < 4 && WRAPPERS.test(at.type); depth++) {
    const inside =
      at.childForFieldName("declaration") ??
      at.childForFieldName("definition") ??
      (at.namedChildren as Node[]).find((child) => roleOf(child) !== "other" || WRAPPERS.test(child.type));
    if (inside === undefined || inside === null) return at === node ? node : at;
    at = inside as Node;
  }
  return at;
}

const VALUES =
  /^(?:arrow_function|function_expression|generator_function|function_definition|function|lambda|anonymous_function|class)$/;
const HOLDS_VALUE =
  /^(?:lexical_declaration|variable_declaration|expression_statement|assignment\w*|variable_declarator|public_field_definition|field_definition|pair|export_statement|local_\w+|property_declaration)$/;

/** The name under which a statement stores a function: `const f = () => ...`, `exports.f = function ...`. */
export function functionValue(node: Node): string | undefined {
  if (!HOLDS_VALUE.test(node.type)) return undefined;
  const extent = node.endIndex - node.startIndex;
  const queue: { node: Node; depth: number }[] = [{ node, depth: 0 }];
  for (const { node: at, depth } of queue) {
    for (const child of at.namedChildren as Node[]) {
      if (VALUES.test(child.type) && depth > 0) {
        if (child.endIndex - child.startIndex < 0.5 * extent) return undefined;
        return lastName(node.text.slice(0, child.startIndex - node.startIndex));
      }
      if (depth < 3 && child.endIndex - child.startIndex >= 0.5 * extent && !/call|array|body/.test(child.type)) {
        queue.push({ node: child, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

/** `exports.area = ` gives `area`. */
function lastName(left: string): string | undefined {
  const names = left.replace(/:[^=]*=/, "=").match(/[\p{L}_$][\p{L}\p{N}_$]*/gu);
  return names
    ?.filter((name) => !/^(?:const|let|var|local|async|export|default|static|readonly|public|private)$/.test(name))
    .at(-1);
}

const IDENTIFIER = /identifier|^name$|^constant$|^variable$|^word$|^alias$|^simple_identifier$|_name$|^operator$/;

/** The name that a definition gives; the start of its text where none is found. */
export function nameOf(node: Node): string {
  if (node.type === "call") return elixirName(node);
  for (let at: Node | null = node, depth = 0; at !== null && depth < 6; depth++) {
    const name = at.childForFieldName("name") as Node | null;
    // Lua's `function M.add` defines add.
    if (name !== null)
      return plain(/function|method/.test(at.type) ? name.text.replace(/^[\w.:]*[.:](?=\w+$)/, "") : name.text);
    const type = /impl|extension|instance/.test(at.type) ? (at.childForFieldName("type") as Node | null) : null;
    if (type !== null) return plain(type.text);
    const next = (at.childForFieldName("declarator") ??
      (at.namedChildren as Node[]).find((child) => /declarator|_spec$|_signature$/.test(child.type)) ??
      null) as Node | null;
    if (next === null) {
      if (depth > 0 && IDENTIFIER.test(at.type)) return plain(at.text);
      const found = (at.namedChildren as Node[]).find((child) => IDENTIFIER.test(child.type));
      if (found !== undefined) return plain(found.text);
      break;
    }
    at = next;
  }
  return plain(node.text.split("\n", 1)[0]!.slice(0, 60));
}

function elixirName(node: Node): string {
  const list = (node.namedChildren as Node[]).find((child) => child.type === "arguments");
  const text = list?.text ?? "";
  return /^\(?\s*["']?([\p{L}_][\p{L}\p{N}_.?!]*)/u.exec(text)?.[1] ?? text.split("\n", 1)[0]!.slice(0, 60);
}

function plain(name: string): string {
  return name.length > 120 || name.includes("\n")
    ? name.split("\n", 1)[0]!.slice(0, 120)
    : name.replace(/^["'#]|["']$/g, "");
}

/** Whether a definition only groups others: its own line says nothing. */
export function isGroup(node: Node): boolean {
  return /namespace|^internal_module$|^mod_item$|^package/.test(node.type);
}
