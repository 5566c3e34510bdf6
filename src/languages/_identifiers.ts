import type { Profile } from "./_profile.js";
import { MEMBERS, PLAIN, TYPES, type Role } from "./_roles.js";
import type { SyntaxTree } from "./_tree.js";
import type { Identifier, IdentifierKind, Obfuscated } from "./types.js";

interface Occurrence {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly role: Role;
}

/** What a file knows of a name. */
interface Name {
  /** Kind of the first definition in the text. */
  readonly kind: IdentifierKind;
  /** Where it is defined. */
  spaces: number;
  parameter: boolean;
}

/**
 * The names that the file defines, in order of first appearance, with the occurrences that go together.
 *
 * A placeholder belongs to a name, not to a scope: `self.data = data` uses one. Where a name stands still counts: a local
 * variable `join` does not rename `path.join`.
 */
export function identifiersOf(tree: SyntaxTree, profile: Profile): Identifier[] {
  const occurrences: Occurrence[] = [];
  profile.names(tree, (start, end, role) => {
    const name = tree.text.slice(start, end);
    if (name !== "" && name !== "_") occurrences.push({ name, start, end, role }); // `_` is nobody's name.
  });
  const imported = new Set<string>();
  for (const { name, role } of occurrences) if (role.role === "import") imported.add(name);
  const names = definitions(occurrences, imported);
  const spans = new Map<string, [number, number][]>();
  for (const { name, start, end, role } of occurrences) {
    const known = names.get(name);
    if (known === undefined || !isOwn(known, role, names, imported.has(name))) continue;
    const list = spans.get(name);
    if (list === undefined) spans.set(name, [[start, end]]);
    else list.push([start, end]);
  }
  return [...spans].map(([name, list]) => ({ name, kind: names.get(name)!.kind, spans: list }));
}

function definitions(occurrences: readonly Occurrence[], imported: ReadonlySet<string>): ReadonlyMap<string, Name> {
  const receivers = new Set<string>();
  for (const { name, role } of occurrences) {
    if (role.role === "define" && (role.spaces & ~MEMBERS) !== 0) receivers.add(name);
  }
  const names = new Map<string, Name>();
  for (const { name, role } of occurrences) {
    let kind: IdentifierKind = "attribute";
    let spaces = 0;
    if (role.role === "define") {
      kind = role.kind;
      // An imported name is the other file's, even where something here shadows it.
      spaces = imported.has(name) ? role.spaces & ~(PLAIN | TYPES) : role.spaces;
    } else if (role.role === "assign-member") {
      const { receiver } = role;
      if (receiver === undefined || (receivers.has(receiver) && !imported.has(receiver))) spaces = MEMBERS;
    }
    if (spaces === 0) continue;
    const parameter = role.role === "define" && role.parameter === true;
    const known = names.get(name);
    if (known === undefined) names.set(name, { kind, spaces, parameter });
    else {
      known.spaces |= spaces;
      known.parameter ||= parameter;
    }
  }
  return names;
}

function isOwn(known: Name, role: Role, names: ReadonlyMap<string, Name>, isImported: boolean): boolean {
  switch (role.role) {
    case "use":
      // Where a plain name may be a member's as well (in a Python class), an imported one is the import.
      if (isImported && (role.spaces & PLAIN) !== 0) return (known.spaces & role.spaces & ~MEMBERS) !== 0;
      return (known.spaces & role.spaces) !== 0;
    case "define":
      return (known.spaces & role.spaces) !== 0;
    case "assign-member":
      return (known.spaces & MEMBERS) !== 0;
    case "keyword":
      // `f(end=1)` names the parameter only if `f` is ours.
      if ((known.spaces & (role.spaces ?? 0)) !== 0) return true;
      return (known.parameter || (known.spaces & MEMBERS) !== 0) && role.callee !== undefined && names.has(role.callee);
    case "import":
      return false;
  }
}

const LETTERS = { class: "c", function: "f", variable: "v", attribute: "v" } as const;
/** A placeholder as obfuscation writes it: `c_0`, `f_3`, `v_12`; a capital where the language asks for one. */
export const PLACEHOLDER = /(?<![\p{L}\p{N}_])[cfvCFV]_\d+(?![\p{L}\p{N}_])/gu;

/** Replaces the identifiers by placeholders, numbered by first appearance; attributes share the `v_` series. */
export function obfuscateTree(tree: SyntaxTree, profile: Profile): Obfuscated {
  // Taken names are skipped wherever they stand, comments and strings too: the map can be undone by plain search.
  const taken = new Set<string>();
  for (const [word] of tree.text.matchAll(PLACEHOLDER)) taken.add(word.toLowerCase());
  const next = { c: 0, f: 0, v: 0 };
  const map: Record<string, string> = {};
  const edits: { start: number; end: number; placeholder: string }[] = [];
  for (const { name, kind, spans } of identifiersOf(tree, profile)) {
    const letter = LETTERS[kind];
    while (taken.has(`${letter}_${next[letter]}`)) next[letter] += 1;
    const number = next[letter]++;
    const placeholder = profile.placeholder?.(letter, number, name) ?? `${letter}_${number}`;
    map[placeholder] = name;
    for (const [start, end] of spans) edits.push({ start, end, placeholder });
  }
  edits.sort((a, b) => a.start - b.start);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, placeholder } of edits) {
    parts.push(tree.text.slice(at, start), placeholder);
    at = end;
  }
  parts.push(tree.text.slice(at));
  return { text: parts.join(""), map };
}

/** Undoes {@link obfuscateTree}: exact, because placeholders never stood in the source. */
export function restore(obfuscated: Obfuscated): string {
  return obfuscated.text.replace(PLACEHOLDER, (word) =>
    Object.hasOwn(obfuscated.map, word) ? obfuscated.map[word]! : word,
  );
}
