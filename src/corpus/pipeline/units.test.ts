import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Rng } from "../../base/index.js";
import { signatureText } from "./_examine.js";
import { hashSequence, hashText } from "./_hash.js";
import { BANDS, PERMUTATIONS, shingles, signatureOf, similarity } from "./_minhash.js";
import { NearIndex } from "./_near.js";
import { originLimit } from "./_rules.js";
import { Components, sortedOrder } from "./_sort.js";
import { planSplit } from "./_split.js";
import { anonymous, tokenHashes } from "./_tokens.js";
import { corpusSchema } from "../config.js";

describe("tokens", () => {
  const same = (a: string, b: string, lang: "python" | "javascript" | "php" | "go" = "javascript"): boolean =>
    hashSequence(tokenHashes(a, lang)).lo === hashSequence(tokenHashes(b, lang)).lo;

  test("white space and comments do not count, tokens do", () => {
    expect(same("f(a,b)", " f ( a,\n\tb )")).toBe(true);
    expect(same("f(ab)", "f(a b)")).toBe(false);
    expect(same("f(a) // why\n/* and\n more */ + 1", "f(a) + 1")).toBe(true);
    expect(same('f("// no comment")', 'f("")')).toBe(false);
    expect(same("f(`\n// no comment`)", "f(`\n`)")).toBe(false);
    expect(same("x = 1 # one\ny = '#'", "x = 1\ny = '#'", "python")).toBe(true);
    expect(same("#[Attribute]\nf(); # gone", "#[Attribute]\nf();", "php")).toBe(true);
    expect(same('s := "a\\"//b" // c', 's := "a\\"//b"', "go")).toBe(true);
  });

  test("a docstring is a comment, other triple-quoted strings are not", () => {
    const code = 'def f(a):\n    """Says "what" it does.\n\n    More.\n    """\n    return """a"""';
    expect(same(code, 'def f(a):\n    return """a"""', "python")).toBe(true);
    expect(same(code, "def f(a):\n    return", "python")).toBe(false);
  });

  test("names can be taken away", () => {
    const of = (code: string): string => anonymous(tokenHashes(code, "javascript")).join();
    expect(of("{ let total = 0; total += x; }")).toBe(of("{ let sum = 0; sum += value; }"));
    expect(of("{ let total = 0; total += x; }")).not.toBe(of("{ let total = 0; x += total; }"));
  });
});

describe("MinHash", () => {
  /** Two random token sequences that share a part. */
  function pair(rng: Rng, shared: number, own: number): [Uint32Array, Uint32Array] {
    const draw = (count: number): number[] => Array.from({ length: count }, () => rng.int(2 ** 31));
    const common = draw(shared);
    return [Uint32Array.from([...common, ...draw(own)]), Uint32Array.from([...common, ...draw(own)])];
  }

  function jaccard(a: Uint32Array, b: Uint32Array): number {
    const [left, right] = [new Set(shingles(a)), new Set(shingles(b))];
    const both = [...left].filter((one) => right.has(one)).length;
    return both / (left.size + right.size - both);
  }

  test("the estimate is near the true similarity", () => {
    const rng = Rng.fromSeed(5);
    let worst = 0;
    let bias = 0;
    const rounds = 60;
    for (let i = 0; i < rounds; i++) {
      const [a, b] = pair(rng.split("pair", i), 40 + 5 * i, 1 + rng.split("own", i).int(60));
      const error = similarity(signatureOf(a)!.bytes, signatureOf(b)!.bytes) - jaccard(a, b);
      worst = Math.max(worst, Math.abs(error));
      bias += error / rounds;
    }
    // Standard deviation at most sqrt(0.25 / 128) = 0.044.
    expect(worst).toBeLessThan(0.16);
    expect(Math.abs(bias)).toBeLessThan(0.02);
  });

  test("pairs above the threshold share a band nearly always, unlike ones nearly never", () => {
    const rng = Rng.fromSeed(6);
    const sharesBand = (shared: number, own: number, i: number): boolean => {
      const [a, b] = pair(rng.split("s", own, i), shared, own).map((tokens) => signatureOf(tokens)!.bands);
      return Array.from({ length: BANDS }, (_, k) => k).some(
        (k) => a![2 * k] === b![2 * k] && a![2 * k + 1] === b![2 * k + 1],
      );
    };
    const count = (shared: number, own: number): number =>
      Array.from({ length: 200 }, (_, i) => sharesBand(shared, own, i)).filter(Boolean).length;
    expect(count(200, 16)).toBeGreaterThan(190); // Jaccard about 0.85: expected 199 of 200.
    expect(count(60, 120)).toBeLessThan(4); // About 0.2.
  });

  test("too few tokens have no signature", () => {
    expect(signatureOf(Uint32Array.of(1, 2, 3, 4))).toBeUndefined();
    expect(signatureOf(Uint32Array.of(1, 2, 3, 4, 5))!.bytes.length).toBe(PERMUTATIONS);
  });
});

test("the index on disk joins near duplicates and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "lodestone-near-"));
  try {
    const rng = Rng.fromSeed(7);
    const index = await NearIndex.create(join(folder, "near"));
    const tokens: Uint32Array[] = [];
    // 300 families of three: one, the same with one token changed of 200, and another text.
    for (let family = 0; family < 300; family++) {
      const draws = rng.split("family", family);
      const first = Uint32Array.from({ length: 200 }, () => draws.int(2 ** 31));
      const second = first.slice();
      second[100] = 1;
      const other = Uint32Array.from({ length: 200 }, () => draws.int(2 ** 31));
      tokens.push(first, second, other);
    }
    for (const sequence of tokens) {
      const { bands, bytes } = signatureOf(sequence)!;
      index.add((band) => new Uint8Array(bands.slice(2 * band, 2 * band + 2).buffer), bytes);
    }
    const components = new Components(tokens.length);
    index.join(components, 0.85, () => false);
    await index.remove();
    let joined = 0;
    for (let family = 0; family < 300; family++) {
      if (components.root(3 * family + 1) === 3 * family) joined += 1;
      expect(components.root(3 * family + 2)).toBe(3 * family + 2);
    }
    expect(joined).toBe(300);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("sorting by 64-bit keys equals sorting numbers, for few and for many", () => {
  const rng = Rng.fromSeed(8);
  for (const count of [0, 1, 50, 30_000]) {
    const hi = Uint32Array.from({ length: count }, () => rng.int(5) * 900_000_000);
    const lo = Uint32Array.from({ length: count }, () => rng.int(2 ** 31));
    const keys = Array.from(hi, (value, i) => BigInt(value) * 2n ** 32n + BigInt(lo[i]!));
    const expected = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    expect(Array.from(sortedOrder(hi, lo), (i) => keys[i])).toEqual(expected);
  }
});

test("components: the root is the smallest member", () => {
  const components = new Components(6);
  components.join(5, 3);
  components.join(4, 5);
  components.join(1, 4);
  expect(Array.from({ length: 6 }, (_, i) => components.root(i))).toEqual([0, 1, 2, 1, 1, 1]);
});

test("no origin above its share", () => {
  expect(originLimit([90, 20, 10], 0.4)).toBe(20); // 20 of 50 is 40%.
  expect(originLimit([50, 50, 10], 0.4)).toBe(20); // 20 of 50 again, twice.
  expect(originLimit([40, 30, 30], 0.4)).toBe(Infinity);
  expect(originLimit([100, 1], 0.4)).toBe(Infinity); // Two origins cannot meet it.
  for (const counts of [
    [1000, 30, 20, 10],
    [500, 400, 20, 20, 5],
    [7, 1, 1],
  ]) {
    const limit = originLimit(counts, 0.4);
    const kept = counts.map((count) => Math.min(count, limit));
    expect(Math.max(...kept)).toBeLessThanOrEqual(0.4 * kept.reduce((a, b) => a + b, 0) + 1e-9);
  }
});

describe("split by origin", () => {
  const config = corpusSchema.parse({ sources: [{ path: "x" }], split: { validation: 0.03, test: 0.03 } });
  const row = (origin: string, python: number, go = 0): Parameters<typeof planSplit>[0][number] => {
    const counts = new Float64Array(9);
    counts[0] = python;
    counts[7] = go;
    return { origin, split: undefined, counts };
  };

  test("every language gets its share, without a giant origin, an origin on one side", () => {
    const origins = [row("giant", 50_000), row("go-giant", 0, 900)];
    for (let i = 0; i < 60; i++) origins.push(row(`p${i}`, 200 + 20 * i, i % 7 === 0 ? 8 : 0));
    for (let i = 0; i < 12; i++) origins.push(row(`g${i}`, 0, 12));
    const plan = planSplit(origins, config);
    expect(plan.byFile).toEqual({ validation: [], test: [] });
    expect(plan.origins.get("giant")).toBeUndefined();
    for (const lang of [0, 7]) {
      const total = origins.reduce((sum, one) => sum + one.counts[lang]!, 0);
      for (const split of ["validation", "test"]) {
        const held = origins
          .filter(({ origin }) => plan.origins.get(origin) === split)
          .reduce((sum, one) => sum + one.counts[lang]!, 0);
        expect(held / total).toBeGreaterThan(0.02);
        expect(held / total).toBeLessThan(0.05);
      }
    }
    expect(planSplit([...origins].reverse(), config).origins).toEqual(plan.origins);
  });

  test("a language of a few large origins is split by file", () => {
    const plan = planSplit([row("a", 500), row("b", 400), row("c", 0, 10)], config);
    expect(plan.byFile).toEqual({ validation: ["go", "python"], test: ["go", "python"] });
    expect(plan.of("a", undefined, "python", 0)).toBe("test");
    expect(plan.of("a", undefined, "python", 0.04 * 2 ** 32)).toBe("validation");
    expect(plan.of("a", undefined, "python", 0.9 * 2 ** 32)).toBe("train");
    expect(plan.of("a", "train", "python", 0)).toBe("train");
  });
});

test("the signature is the code up to its body", () => {
  expect(signatureText("function add(x) {\n  let total = x;\n  return total;\n}", "let total = x;")).toBe(
    "function add(x)",
  );
  expect(signatureText("@cache\ndef run(a,\n        b):\n    c = a\n    c()", "c = a\nc()")).toBe(
    "@cache\ndef run(a,\n        b):",
  );
});

test("hashes of texts are not the mark of nothing", () => {
  expect(hashText("")).not.toEqual({ hi: 0, lo: 0 });
  expect(hashText("a")).not.toEqual(hashText("b"));
});
