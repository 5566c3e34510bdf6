import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src");

/**
 * The rooms, and whom each may import: those named here and whatever those may import in turn; `base` all may. The
 * edges may import every room. docs/architecture.md gives the reasons.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  graph: ["base"],
  engine: ["graph"],
  model: ["graph"],
  languages: ["base"],
  corpus: ["languages"],
  tokenizer: ["base"],
  pretrain: ["model", "engine", "corpus", "tokenizer"],
  encoder: ["model", "engine", "tokenizer"],
  evaluate: ["encoder", "corpus"],
  search: ["encoder", "languages"],
};
/** Only these print, exit, or speak HTTP. */
const EDGES = ["cli", "server", "web"];

function reachable(room: string): Set<string> {
  const found = new Set(ROOMS[room]);
  for (const next of found) for (const further of ROOMS[next] ?? []) found.add(further);
  return found;
}

/** A module: its path from src/ and the specifiers it imports (static, re-exported, dynamic, type-only). */
interface Module {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** Tests, and the suites that several tests share; neither is built nor shipped. */
const isTest = (path: string): boolean => path.endsWith(".test.ts") || path.endsWith("/contract.ts");
/** Entries of child processes and workers: they speak to their parent, not to the user. */
const isEntry = (path: string): boolean => /\/_[\w-]*(child|worker)\.ts$/.test(path);

const modules: Module[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !isTest(path) && !path.includes("fixtures/"))
  .map((path) => {
    const text = readFileSync(join(source, path), "utf8");
    return { path, text, imports: ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName) };
  });

const roomOf = (path: string): string => path.split("/")[0]!;
const targetOf = ({ path }: Module, specifier: string): string =>
  relative(source, join(source, dirname(path), specifier)).replace(/\.js$/, ".ts");

/** What is wrong with the relative imports of a module. */
function wrongImports(module: Module): string[] {
  const own = roomOf(module.path);
  return module.imports
    .filter((specifier) => specifier.startsWith("."))
    .flatMap((specifier) => {
      const target = targetOf(module, specifier);
      const there = roomOf(target);
      if (there === own) return [];
      const says = `${module.path} imports ${specifier}`;
      if (target.startsWith("..")) return [`${says}: outside src/`];
      if (!module.path.includes("/")) return []; // src/index.ts is the package's face.
      const allowed =
        there === "base" || (EDGES.includes(own) ? there in ROOMS || EDGES.includes(there) : reachable(own).has(there));
      if (!allowed) return [`${says}: ${own} may import ${["base", ...reachable(own)].join(", ")}`];
      return target === `${there}/index.ts` ? [] : [`${says}: other rooms are entered through their index.ts`];
    });
}

describe("rooms", () => {
  test("every folder under src/ is a room or an edge, and has an index.ts", () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const names = folders.map(({ name }) => name).filter((name) => modules.some(({ path }) => roomOf(path) === name));
    expect(names.filter((name) => !(name in ROOMS) && !EDGES.includes(name))).toEqual([]);
    const wanted = new Set([...Object.keys(ROOMS), ...names]);
    expect([...wanted].filter((name) => !existsSync(join(source, name, "index.ts")))).toEqual([]);
  });

  test("the table itself has no way back", () => {
    for (const room of Object.keys(ROOMS)) expect(reachable(room), room).not.toContain(room);
  });

  test("imports go only where the table lets them, through index.ts", () => {
    expect(modules.flatMap(wrongImports)).toEqual([]);
  });

  test("the check sees what is forbidden", () => {
    const module = (path: string, imports: string[]): Module => ({ path, imports, text: "" });
    expect(wrongImports(module("evaluate/a.ts", ["../encoder/index.js", "../model/index.js", "./b.js"]))).toEqual([]);
    expect(wrongImports(module("evaluate/a.ts", ["../pretrain/index.js"]))).toHaveLength(1);
    expect(wrongImports(module("encoder/a.ts", ["../pretrain/index.js"]))).toHaveLength(1);
    expect(wrongImports(module("model/a.ts", ["../graph/value.js"]))).toHaveLength(1);
    expect(wrongImports(module("search/a.ts", ["../cli/index.js"]))).toHaveLength(1);
    expect(wrongImports(module("cli/commands/a.ts", ["../../pretrain/index.js", "../command.js"]))).toEqual([]);
    expect(wrongImports(module("graph/a.ts", ["../../bench/peers.js"]))).toHaveLength(1);
  });

  test("no module imports itself in a circle", () => {
    const byPath = new Map(modules.map((module) => [module.path, module]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      const module = byPath.get(path);
      if (module === undefined || done.has(path) || trail.includes(path)) return;
      for (const specifier of runtimeImports(module)) visit(targetOf(module, specifier), [...trail, path]);
      done.add(path);
    };
    for (const { path } of modules) visit(path, []);
    expect(circles).toEqual([]);
  });

  test("packages that src/ imports are dependencies, so that the packed package has them", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const missing = modules.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
        .map((specifier) =>
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/"),
        )
        .filter((name) => !(name in manifest.dependencies))
        .map((name) => `${path} imports ${builtinModules.includes(name) ? `${name} without node:` : name}`),
    );
    expect(missing).toEqual([]);
  });
});

const trees = new Map<string, ts.SourceFile>();
function parsed({ path, text }: Pick<Module, "path" | "text">): ts.SourceFile {
  const tree = trees.get(text) ?? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  trees.set(text, tree);
  return tree;
}

/** Static imports that remain when types are gone: only those can be caught half-loaded in a circle. */
function runtimeImports({ path, text }: Module): string[] {
  return parsed({ path, text }).statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement);
    if (!isImport && !ts.isExportDeclaration(statement)) return [];
    const typeOnly = isImport ? statement.importClause?.isTypeOnly === true : statement.isTypeOnly;
    const specifier = statement.moduleSpecifier;
    if (typeOnly || specifier === undefined || !ts.isStringLiteral(specifier)) return [];
    return specifier.text.startsWith(".") ? [specifier.text] : [];
  });
}

/** `object.property` expressions in the code, not in its comments and strings. */
function accesses({ path, text }: Module): string[] {
  const file = parsed({ path, text });
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      found.push(`${node.expression.text}.${node.name.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe("only the edges speak", () => {
  const printing = /^(console\..*|process\.(stdout|stderr|abort))$/;
  const ending = /^process\.(exit|exitCode)$/;
  test("no other room prints or exits", () => {
    const loud = modules
      .filter(({ path }) => !EDGES.includes(roomOf(path)))
      .flatMap((module) =>
        accesses(module)
          .filter((name) => printing.test(name) || (ending.test(name) && !isEntry(module.path)))
          .map((name) => `${module.path}: ${name}`),
      );
    expect(loud).toEqual([]);
  });

  test("randomness is passed in", () => {
    const unseeded = modules.filter((module) => accesses(module).includes("Math.random")).map(({ path }) => path);
    expect(unseeded).toEqual([]);
  });

  test("the check sees code, and passes over comments and strings", () => {
    const text = '// console.log\nconst s = "Math.random()"; process.stdout.write(s); const r = Math.random;';
    expect(accesses({ path: "a.ts", text, imports: [] })).toEqual(["process.stdout", "Math.random"]);
  });
});

describe("nothing is tied to one machine", () => {
  // Written so that this file does not hold what it looks for.
  const hosts = ["npmjs", "pypi", "pythonhosted", "debian", "huggingface"].map(
    (name) => `\\b${name}\\.(?:org|com|co)\\b`,
  );
  const places = ["work", "tmp/venv", "opt/wheels", "opt/pypi", "root", "home/[a-z]+"].map(
    (path) => `(?<![\\w.)}*-])/${path}(?=[/"'\`\\s]|$)`,
  );
  const forbidden = new RegExp([...hosts, ...places].join("|"), "m");

  test("no tracked file names a registry's host or a path of the machine it was written on", () => {
    const listed = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 }).split(
      "\0",
    );
    const texts = /\.(ts|js|mjs|json|jsonl|md|py|txt|ya?ml|html|css|toml)$|^\.(ci|npmrc)|^[A-Z]+$/;
    // A lock file says where each package came from; results hold what the machine is, on purpose.
    const files = listed.filter(
      (path) => texts.test(path) && path !== "package-lock.json" && existsSync(join(root, path)),
    );
    expect(files.length).toBeGreaterThan(10);
    const found = files.flatMap((path) => {
      const match = forbidden.exec(readFileSync(join(root, path), "utf8"));
      return match === null ? [] : [`${path}: ${match[0]}`];
    });
    expect(found).toEqual([]);
  });

  test("the check sees such places", () => {
    const [host, place] = ["https://registry.npmjs" + ".org/x", "/" + "work"];
    for (const text of [`"${place}/main"`, `see ${place}/`, `cd ${place}`, host]) expect(text).toMatch(forbidden);
    for (const text of [`..${place}/x`, `${place}ers`, `a${place}/b`, "npm"]) expect(text).not.toMatch(forbidden);
  });
});
