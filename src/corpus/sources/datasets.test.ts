import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSources, type OpenOptions, type SourceEvent, type SourceInput } from "./index.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lodestone-datasets-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(path: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
  return join(folder, path);
}

async function read(source: SourceInput, options: OpenOptions = {}): Promise<SourceEvent[]> {
  const [opened] = await openSources([source], options);
  const seen: SourceEvent[] = [];
  for await (const event of opened!.items({ accept: () => true })) seen.push(event);
  return seen;
}

function show(event: SourceEvent): string {
  if (event.kind === "skipped") return `${event.origin} ${event.path}!${event.reason} ${event.detail ?? ""}`.trim();
  const { origin, path, licence, lang, bytes } = event.item;
  return `${origin} ${path} ${licence} ${lang}=${Buffer.from(bytes).toString()}`;
}

/** Rows of The Stack as distributed (v1's names), and one with v2's. */
const V1 = [
  {
    content: "a = 1",
    lang: "Python",
    max_stars_repo_path: "a.py",
    max_stars_repo_licenses: ["MIT"],
    max_stars_repo_name: "o/n",
  },
  {
    content: "class B;",
    lang: "C++",
    max_stars_repo_path: "b.cc",
    max_stars_repo_licenses: ["MIT"],
    max_stars_repo_name: "o/n",
  },
  {
    content: "var c",
    lang: "C#",
    max_stars_repo_path: "c.cs",
    max_stars_repo_licenses: ["MIT", "GPL-3.0"],
    max_stars_repo_name: "o/m",
  },
  {
    content: "int d;",
    lang: "C",
    max_stars_repo_path: "d.c",
    max_stars_repo_licenses: ["MIT", "Apache-2.0"],
    max_stars_repo_name: "o/m",
  },
];
const V1_READ = [
  "stack:o/n a.py MIT python=a = 1",
  "stack:o/m c.cs!licence MIT AND GPL-3.0",
  "stack:o/m d.c MIT AND Apache-2.0 c=int d;",
];
const jsonl = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

test("The Stack as JSON Lines, gzipped and not", async () => {
  for (const path of [
    await write("s.jsonl", jsonl(V1)),
    await write("s.jsonl.gz", gzipSync(jsonl(V1))),
    dirname(await write("dir/data/x.json.gz", gzipSync(jsonl(V1)))),
  ]) {
    expect((await read({ kind: "stack", path })).map(show)).toEqual(V1_READ);
  }
});

test("The Stack as Parquet, over several row groups; contents that are not UTF-8 stay as they are", async () => {
  const column = (name: keyof (typeof V1)[number]): unknown[] => V1.map((row) => row[name]);
  const stored = parquetWriteBuffer({
    columnData: [
      { name: "content", data: column("content"), type: "STRING" },
      { name: "lang", data: column("lang"), type: "STRING" },
      { name: "max_stars_repo_path", data: column("max_stars_repo_path"), type: "STRING" },
      { name: "max_stars_repo_licenses", data: column("max_stars_repo_licenses"), type: "JSON" },
      { name: "max_stars_repo_name", data: column("max_stars_repo_name"), type: "STRING" },
    ],
    rowGroupSize: 3,
  });
  const path = await write("s.parquet", new Uint8Array(stored));
  expect((await read({ kind: "stack", path })).map(show)).toEqual(V1_READ);

  // One byte of the stored text becomes one that no UTF-8 has.
  const broken = Buffer.from(await readFile(path));
  broken[broken.indexOf("int d;")] = 0xff;
  const events = await read({ kind: "stack", path: await write("t.parquet", broken) });
  const last = events.at(-1)!;
  expect(last.kind === "item" && [...last.item.bytes]).toEqual([0xff, ...Buffer.from("nt d;")]);
});

test("the second version's names; columns by names of one's own", async () => {
  const path = await write(
    "v2.jsonl",
    jsonl([
      { content: "x", language: "Go", path: "/x.go", detected_licenses: ["BSD-3-Clause"], repo_name: "a/b" },
      {
        content: "y",
        language: "Go",
        path: "/y.go",
        detected_licenses: [],
        license_type: "no_license",
        repo_name: "a/b",
      },
    ]),
  );
  const seen = (await read({ kind: "stack", path })).map(show);
  expect(seen).toEqual(["stack:a/b /x.go BSD-3-Clause go=x", "stack:a/b /y.go!licence NOASSERTION"]);
  const own = await write("own.jsonl", jsonl([{ src: "z", file: "z.rb" }]));
  const columns = { content: "src", path: "file" };
  expect((await read({ kind: "stack", path: own, columns, licence: "MIT", name: "mine" })).map(show)).toEqual([
    "stack:mine z.rb MIT undefined=z",
  ]);
});

test("missing columns: said clearly, and the other files are read", async () => {
  await write("d/a.jsonl", jsonl([{ text_id: 1, lang: "Go", license: "MIT" }]));
  await write("d/b.jsonl", jsonl([{ content: "x", license: "MIT" }]));
  await write("d/c.jsonl", jsonl([{ content: "x", lang: "Go" }]));
  await write(
    "d/d.parquet",
    new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "blob_id", data: ["1"], type: "STRING" }] })),
  );
  await write("d/e.jsonl", jsonl([{ content: "x", lang: "Go", license: "MIT" }]));
  expect((await read({ kind: "stack", path: join(folder, "d") })).map(show)).toEqual([
    "stack:d a.jsonl!columns expected a column content, got text_id, lang, license",
    "stack:d b.jsonl!columns expected a column lang or path, got content, license",
    "stack:d c.jsonl!columns expected a column of licences, got content, lang; state licence in the config if all have the same",
    "stack:d d.parquet!columns expected a column content, got blob_id",
    "stack:d e.jsonl:1.go MIT go=x",
  ]);
});

test("broken lines, broken Parquet and a truncated gzip cost no more than themselves", async () => {
  const good = { content: "x", lang: "Go", path: "x.go", license: "MIT" };
  await write(
    "d/a.jsonl",
    `${JSON.stringify(good)}\n{"content": \n[1]\n${JSON.stringify({ ...good, content: 5 })}\n\n${JSON.stringify(good)}`,
  );
  await write("d/b.parquet", "PAR1 this is not Parquet PAR1");
  const rows = Array.from({ length: 2000 }, (_, i) => ({ ...good, content: `${Math.sin(i)} ${Math.cos(i * 7)}` }));
  const packed = gzipSync(jsonl(rows));
  await write("d/c.jsonl.gz", packed.subarray(0, packed.length - 2000));
  const seen = (await read({ kind: "stack", path: join(folder, "d") })).map(show);
  expect(seen.slice(0, 5).map((one) => one.replace(/ (expected|got).*/, ""))).toEqual([
    "stack:d x.go MIT go=x",
    "stack:d a.jsonl:2!broken-record",
    "stack:d a.jsonl:3!broken-record",
    "stack:d a.jsonl:4!broken-record",
    "stack:d x.go MIT go=x",
  ]);
  expect(seen[5]).toMatch(/^stack:d b.parquet!broken-archive/);
  expect(seen.length).toBeGreaterThan(1000);
  expect(seen.at(-1)).toMatch(/c\.jsonl\.gz!broken-archive unexpected end of file/);
});

test("CodeSearchNet as distributed", async () => {
  const record = {
    repo: "o/n",
    path: "a/b.py",
    func_name: "B.f",
    original_string: 'def f(x):\n  """Doc."""\n  return x',
    language: "python",
    code: "def f(x):\n  return x",
    code_tokens: ["def"],
    docstring: "Doc.",
    docstring_tokens: ["Doc"],
    sha: "abc",
    url: "u",
    partition: "train",
  };
  await write(
    "csn/python/final/jsonl/train/python_train_0.jsonl.gz",
    gzipSync(jsonl([record, { ...record, language: "scala" }])),
  );
  await write("csn/wrong.jsonl.gz", gzipSync(jsonl([{ code: "x" }, { code: "y" }])));
  const [first, ...rest] = await read({ kind: "codesearchnet", path: join(folder, "csn") });
  expect(first).toMatchObject({
    kind: "item",
    item: {
      kind: "function",
      origin: "codesearchnet:o/n",
      version: "abc",
      path: "a/b.py",
      name: "B.f",
      docstring: "Doc.",
      lang: "python",
      licence: "NOASSERTION",
    },
  });
  expect(first?.kind === "item" && Buffer.from(first.item.bytes).toString()).toBe(record.original_string);
  expect(rest.map(show)).toEqual([
    "codesearchnet:csn wrong.jsonl.gz!columns expected code, docstring and language, got code",
  ]);
});

test("data that are not there", async () => {
  const path = join(folder, "none");
  await expect(openSources([{ kind: "stack", path }])).rejects.toMatchObject({ code: "corpus.source" });
  expect((await read({ kind: "codesearchnet", path, required: false })).map(show)[0]).toMatch(/!unavailable/);
});
