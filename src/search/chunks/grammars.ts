import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, extname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Language as Grammar, Parser } from "web-tree-sitter";
import { messageOf, UserError } from "../../base/index.js";

/** How a kind of file is read. */
export interface FileType {
  /** As `--lang` names it. */
  readonly language: string;
  readonly kind: "code" | "doc" | "config" | "text";
  /** `package/file.wasm` of its grammar. Where that cannot be found, code is cut by its lines' look. */
  readonly grammar?: string;
}

const code = (language: string, grammar?: string): FileType =>
  grammar === undefined ? { language, kind: "code" } : { language, kind: "code", grammar };
const config = (language: string): FileType => ({ language, kind: "config" });
const pack = (name: string, file = name): string => `tree-sitter-${name}/tree-sitter-${file}.wasm`;
const community = (name: string): string => `@tree-sitter-grammars/tree-sitter-${name}/tree-sitter-${name}.wasm`;

const BY_TYPE: readonly (readonly [FileType, string])[] = [
  [code("python", pack("python")), ".py .pyi .pyx .pxd"],
  [code("javascript", pack("javascript")), ".js .mjs .cjs .jsx"],
  [code("typescript", pack("typescript")), ".ts .mts .cts"],
  [code("typescript", pack("typescript", "tsx")), ".tsx"],
  [code("java", pack("java")), ".java"],
  [code("csharp", "tree-sitter-c-sharp/tree-sitter-c_sharp.wasm"), ".cs .csx"],
  [code("c", pack("c")), ".c .h"],
  [code("ruby", pack("ruby")), ".rb .rake .gemspec"],
  [code("go", pack("go")), ".go"],
  [code("php", pack("php")), ".php .phtml .inc"],
  [code("cpp", pack("cpp")), ".cpp .cc .cxx .c++ .hpp .hh .hxx .h++ .ipp .tpp .inl .cu .cuh .ino"],
  [code("rust", pack("rust")), ".rs"],
  [code("kotlin", community("kotlin")), ".kt .kts"],
  [code("scala", pack("scala")), ".scala .sc .sbt"],
  [code("swift", pack("swift")), ".swift"],
  [code("elixir", pack("elixir")), ".ex .exs"],
  [code("haskell", pack("haskell")), ".hs"],
  [code("lua", community("lua")), ".lua"],
  [code("bash", pack("bash")), ".sh .bash .zsh .bats .ksh"],
  [code("zig", community("zig")), ".zig"],
  [code("dart"), ".dart"],
  [code("perl"), ".pl .pm .t"],
  [code("r"), ".r"],
  [code("julia"), ".jl"],
  [code("ocaml"), ".ml .mli"],
  [code("clojure"), ".clj .cljs .cljc .edn"],
  [code("erlang"), ".erl .hrl"],
  [code("fsharp"), ".fs .fsi .fsx"],
  [code("groovy"), ".groovy .gradle"],
  [code("objectivec"), ".m .mm"],
  [code("powershell"), ".ps1 .psm1"],
  [code("solidity"), ".sol"],
  [code("sql"), ".sql"],
  [code("vue"), ".vue"],
  [code("svelte"), ".svelte"],
  [code("nim"), ".nim"],
  [code("proto"), ".proto"],
  [code("graphql"), ".graphql .gql"],
  [code("css"), ".css .scss .sass .less"],
  [code("fish"), ".fish"],
  [code("vim"), ".vim"],
  [code("lisp"), ".el .lisp .scm .rkt"],
  [{ language: "html", kind: "text" }, ".html .htm .xhtml .erb .ejs .hbs"],
  [{ language: "markdown", kind: "doc" }, ".md .markdown .mdx .mdown"],
  [{ language: "rst", kind: "doc" }, ".rst .adoc .asciidoc .org .textile .rdoc"],
  [{ language: "text", kind: "doc" }, ".txt"],
  [config("json"), ".json .jsonc .json5 .webmanifest"],
  [config("yaml"), ".yml .yaml"],
  [config("toml"), ".toml"],
  [config("ini"), ".ini .cfg .conf .properties .editorconfig .env"],
  [config("xml"), ".xml .xsd .csproj .props .targets .plist .xaml"],
  [config("cmake"), ".cmake"],
  [config("terraform"), ".tf .tfvars .hcl"],
  [config("make"), ".mk .mak"],
  [config("nix"), ".nix"],
  [config("bazel"), ".bzl .bazel"],
];

const BY_EXTENSION = new Map(
  BY_TYPE.flatMap(([type, extensions]) => extensions.split(" ").map((extension) => [extension, type] as const)),
);

const BY_NAME: ReadonlyMap<string, FileType> = new Map([
  ["dockerfile", config("dockerfile")],
  ["containerfile", config("dockerfile")],
  ["makefile", config("make")],
  ["gnumakefile", config("make")],
  ["cmakelists.txt", config("cmake")],
  ["justfile", config("make")],
  ["jenkinsfile", code("groovy")],
  ["rakefile", code("ruby", pack("ruby"))],
  ["gemfile", code("ruby", pack("ruby"))],
  ["build", config("bazel")],
  ["workspace", config("bazel")],
  [".gitignore", config("ini")],
  [".env", config("ini")],
  [".bashrc", code("bash", pack("bash"))],
  ["readme", { language: "text", kind: "doc" }],
  ["license", { language: "text", kind: "doc" }],
]);

const PLAIN: FileType = { language: "text", kind: "text" };

/** Grammars that a user adds, by file ending (`.zig`): a `.wasm` file, or `package/file.wasm` of an installed package. */
export type UserGrammars = Readonly<Record<string, string>>;

/** The type of a file by its name. */
export function fileTypeOf(path: string, grammars: UserGrammars = {}): FileType {
  const name = basename(path).toLowerCase();
  const extension = extname(name);
  const known = BY_NAME.get(name) ?? BY_EXTENSION.get(extension) ?? PLAIN;
  const grammar = grammars[extension];
  if (grammar === undefined) return known;
  return { language: known === PLAIN ? extension.slice(1) : known.language, kind: "code", grammar };
}

/** All names that `--lang` may have. */
export function fileTypeNames(): string[] {
  return [
    ...new Set([...BY_TYPE.map(([{ language }]) => language), ...[...BY_NAME.values()].map((type) => type.language)]),
  ].sort();
}

const require = createRequire(import.meta.url);
let runtime: Promise<void> | undefined;
const parsers = new Map<string, Promise<Parser | undefined>>();

/**
 * The parser of a grammar; undefined where the package is not there (the larger grammars are installed by those who want
 * them). Loaded once a process.
 *
 * @throws UserError `search.grammar` for a file that is no grammar
 */
export function loadParser(grammar: string): Promise<Parser | undefined> {
  const known = parsers.get(grammar);
  if (known !== undefined) return known;
  const loading = load(grammar);
  parsers.set(grammar, loading);
  return loading;
}

async function load(grammar: string): Promise<Parser | undefined> {
  const bytes = await readGrammar(grammar);
  if (bytes === undefined) return undefined;
  try {
    runtime ??= Parser.init({ locateFile: () => require.resolve("web-tree-sitter/web-tree-sitter.wasm") });
    await runtime;
    const parser = new Parser();
    parser.setLanguage(await Grammar.load(bytes));
    return parser;
  } catch (error) {
    throw new UserError("search.grammar", `${grammar}: expected a tree-sitter grammar, got ${messageOf(error)}`, {
      fix: "Name a .wasm file of ABI 13 to 15, as the grammar's own package ships it",
      cause: error,
    });
  }
}

/** From where Node finds packages, then from those copied beside the built code. */
async function readGrammar(grammar: string): Promise<Uint8Array | undefined> {
  const places: string[] = [];
  if (isAbsolute(grammar) || grammar.startsWith(".")) places.push(resolve(grammar));
  else {
    try {
      places.push(require.resolve(grammar));
    } catch {
      // Not installed.
    }
    places.push(join(fileURLToPath(new URL("./grammars", import.meta.url)), basename(grammar)));
  }
  for (const place of places) {
    const bytes = await readFile(place).catch(() => undefined);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}
