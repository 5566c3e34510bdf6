import { beforeAll, expect, test } from "vitest";
import { loadLanguages } from "../../languages/index.js";
import { extract } from "./index.js";

beforeAll(() => loadLanguages(["python", "java"]));
const bounds = { minTokens: 3, maxTokens: 256, explain: true };

test("accessors, short bodies and repeated documentation are dropped under their names", () => {
  const text = `class A {
  /** Sets the name of this part. */
  A setName(String name) {
    this.name = name;
    return this;
  }
  /** Returns the sum of all parts. */
  int sum() { return a + b; }
  /** Finds the first row that has the key. */
  Row find(Key key) {
    // finds the first row that has the key
    for (Row row : rows) if (row.has(key)) return row;
    return null;
  }
  /** Reads the next row of the table. */
  Row next() {
    at += 1;
    return rows[at];
  }
}
`;
  const { functions, withDocstring, candidates, dropped, refused } = extract(text, "java", bounds);
  expect({ functions, withDocstring, dropped }).toEqual({
    functions: 4,
    withDocstring: 4,
    dropped: { accessor: 1, "short-body": 1, leak: 1 },
  });
  expect(candidates.map(({ name, summary, body }) => [name, summary, body])).toEqual([
    ["next", "Reads the next row of the table.", "at += 1;"],
  ]);
  expect(refused.map(({ name, reason }) => `${name} ${reason}`)).toEqual([
    "setName accessor",
    "sum short-body",
    "find leak",
  ]);
});

test("a body of returned values keeps them, and is counted", () => {
  const text = 'def f(a):\n    """Doubles what it is given."""\n    return twice(\n        a,\n    )\n';
  const { candidates, bodyIsReturn } = extract(text, "python", bounds);
  expect(bodyIsReturn).toBe(1);
  expect(candidates[0]).toMatchObject({ bodyIsReturn: true, body: "return twice(\n    a,\n)" });
});
