import { describe, expect, test } from "vitest";
import type { Language } from "../base/index.js";
import { summarise } from "./index.js";

const summary = (docstring: string, name?: string, language: Language = "javascript"): string => {
  const result = summarise(docstring, language, name === undefined ? {} : { name });
  return "summary" in result ? result.summary : `(${result.dropped})`;
};

describe("occasions, advice and generated lines are no summaries", () => {
  test.each([
    ["Triggered by the handler of resizes.", "note"],
    ["This method is called automatically by the scene when it starts.", "note"],
    ["Focus is invoked by the application when it receives focus.", "note"],
    ["MarshalJSON is used for testing.", "note"],
    ["You should always use this function to get a new instance.", "note"],
    ["It is best not to override this function in the child class.", "note"],
    ["client_language valid options are :ruby or :swift", "note"],
    ["Returns a new TokenScopeError instance", "templated"],
    ["Called when a key was pressed in the list.", "note"],
    ["Returns true iff:", "not-prose"],
    ["Create an instance from a hash of parameters, e.g.:", "not-prose"],
  ])("%s", (docstring, reason) => {
    expect(summary(docstring, "f")).toBe(`(${reason})`);
  });

  test.each([
    "Called by the collection to tell this project that it is gone.",
    "Called at an interval: polls the given node for changes.",
    "Returns a new Config instance with defaults.",
    "Returns a new instance of the reader that skips blanks.",
    "Invokes the callback when the file goes away.",
    "Callback used when the user has closed the window.",
    "Computes the sum of the elements of x:",
  ])("%s", (sentence) => {
    expect(summary(sentence, "f")).toBe(sentence);
  });
});

describe("marks and slips that are mended", () => {
  test.each<[Language, string, string, string]>([
    ["go", "WTimeout", "WTimeout specifies specifies a time limit.", "Specifies a time limit."],
    ["go", "Match", "Match match the given name against it.", "Match the given name against it."],
    ["php", "setValueSet", "Set set of values for comparison", "Set set of values for comparison"],
    ["go", "widen", "widen widens a value to its widest type, one of:\n - int64", "Widens a value to its widest type."],
    ["ruby", "entries_for", ": [T] (String uri, ?Class[T]? type) -> Array[T]?", "(no-description)"],
    ["ruby", "f", "Finds all entries of a file.\n: (String) -> void", "Finds all entries of a file."],
    ["ruby", "f", "Returns an {EC2::Instance} by {#id its own id}.", "Returns an EC2::Instance by its own id."],
    ["ruby", "f", "Returns the {#location} of {Foo.find}.", "Returns the location of Foo.find."],
    ["ruby", "f", "Turns ${Name} into the name of a user.", "Turns ${Name} into the name of a user."],
    ["ruby", "f", "Raises when asking for #[] on something else.", "Raises when asking for #[] on something else."],
  ])("%s %s: %j", (language, name, docstring, expected) => {
    expect(summary(docstring, name, language)).toBe(expected);
  });
});
