import { expect, test } from "vitest";
import { LANGUAGES, type Language } from "../base/index.js";
import { loadLanguages, syntaxTokens, type TokenKind } from "./index.js";

await loadLanguages(LANGUAGES);

const LETTERS: Readonly<Record<string, TokenKind>> = {
  i: "identifier",
  k: "keyword",
  o: "operator",
  s: "string",
  n: "number",
  c: "comment",
};

/** Tokens as read by hand, each after the letter of its kind: `i:area`. */
const CASES: Readonly<Record<Language, readonly [text: string, expected: string]>> = {
  python: [
    "def area(r):  # disc\n    return f'{PI} is' * r ** 2\n",
    `k:def i:area o:( i:r o:) o:: c:#_disc k:return s:f' o:{ i:PI o:} s:_is s:' o:* i:r o:** n:2`,
  ],
  java: [
    'final int a = b.c("x") + 0x1F; // end',
    'k:final k:int i:a o:= i:b o:. i:c o:( s:" s:x s:" o:) o:+ n:0x1F o:; c://_end',
  ],
  javascript: ["let s = `a${b}c`; /r+/g;", "k:let i:s o:= s:` s:a o:${ i:b o:} s:c s:` o:; s:/ s:r+ s:/ s:g o:;"],
  typescript: ["const x: number = this.y as string;", "k:const i:x o:: k:number o:= k:this o:. i:y k:as k:string o:;"],
  csharp: [
    "class A { int x = 1; string s = null; }",
    "k:class i:A o:{ k:int i:x o:= n:1 o:; k:string i:s o:= k:null o:; o:}",
  ],
  c: ["/* top */ char c = 'x';", "c:/*_top_*/ k:char i:c o:= s:' s:x s:' o:;"],
  ruby: ['@a = :b; puts "x#{y}"', 'i:@a o:= s::b o:; i:puts s:" s:x o:#{ i:y o:} s:"'],
  go: ['var a = "x" + 1.5', 'k:var i:a o:= s:" s:x s:" o:+ n:1.5'],
  php: ["<?php $a = strlen('x') ?: 7;", "o:<?php o:$ i:a o:= i:strlen o:( s:' s:x s:' o:) o:? o:: n:7 o:;"],
};

test.each(LANGUAGES)("%s: every leaf has its kind", (language) => {
  const [text, expected] = CASES[language];
  const tokens = syntaxTokens(text, language);
  const wanted = expected.split(" ").map((one) => [LETTERS[one[0]!], one.slice(2).replaceAll("_", " ")]);
  expect(tokens.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual(wanted);
});

test.each(LANGUAGES)("%s: tokens stand in order and leave nothing but blanks between them", (language) => {
  const [text] = CASES[language];
  let at = 0;
  for (const { start, end } of syntaxTokens(text, language)) {
    expect(text.slice(at, start).trim()).toBe("");
    expect(end).toBeGreaterThan(start);
    at = end;
  }
  expect(text.slice(at).trim()).toBe("");
});

/** Names that a grammar spells like its own words, and strings with code and names in and between them. */
const SUBTLE: readonly (readonly [Language, text: string, identifiers: string])[] = [
  ["javascript", "let identifier = $ + #name in name;", "identifier $ #name name"],
  [
    "php",
    "<?php $name = $class . $this->x . Box::class . \"a $key {$y->z} ${w} {$this->get('v')}\";",
    "name class x Box key y z w get",
  ],
  ["csharp", "class A { int from = 1; F f = e => e; }", "A from F f e e"],
  ["c", 'char *s = "a" NL "b" SUFFIX;', "s NL SUFFIX"],
  ["ruby", "identifier = name", "identifier name"],
  ["typescript", "type A = `main` | `on${B}`;", "A B"],
];

test.each(SUBTLE)("%s: identifiers of %s", (language, text, names) => {
  const found = syntaxTokens(text, language).filter(({ kind }) => kind === "identifier");
  expect(found.map(({ start, end }) => text.slice(start, end)).join(" ")).toBe(names);
});
