import { beforeAll, expect, test } from "vitest";
import { loadLanguages } from "../../languages/index.js";
import { extract } from "./index.js";

beforeAll(() => loadLanguages(["python", "java", "c", "ruby"]));
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

test("a function that only refuses is a stub, whatever its documentation tells", () => {
  const text = `class A {
  /** Returns the kind of a binary value. */
  Kind kind(Value value) {
    throw new UnsupportedOperationException(
        "not for " + value + ";");
  }
  /** Throws an error that names the value. */
  void refuse(Value value) {
    throw new IllegalStateException(
        "bad " + value);
  }
  /** Reads the next row or ends the table. */
  Row next() {
    if (at > end) close();
    throw new EndOfTable(at);
  }
}
`;
  const { candidates, dropped } = extract(text, "java", bounds);
  expect(candidates.map((each) => each.name)).toEqual(["refuse", "next"]);
  expect(dropped).toEqual({ stub: 1 });
  const nullLibrary = `/** Computes the digest of a message. */
BOOLEAN
Digest (
  IN CONST VOID  *Data
  )
{
  ASSERT (FALSE);
  return FALSE;
}
`;
  expect(extract(nullLibrary, "c", bounds).dropped).toEqual({ stub: 1 });
  const python = `def track(self, variables):
    """Follows the variables of a layer."""
    # Other backends do.
    raise NotImplementedError(
        "track() is missing for this backend."
    )
`;
  expect(extract(python, "python", bounds).dropped).toEqual({ stub: 1 });
  const ruby = `# Groups the block on one page.
def group(*_arguments)
  raise NotImplementedError,
    'Document#group is disabled because ' \\
    'it broke documents'
end
# Loads the rows of a table again.
def load(rows)
  raise NotImplementedError, 'rows were lost' if rows.nil?
  @rows = rows
end
`;
  const found = extract(ruby, "ruby", bounds);
  expect(found.candidates.map((each) => each.name)).toEqual(["load"]);
  expect(found.dropped).toEqual({ stub: 1 });
});
