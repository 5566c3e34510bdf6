import { describe, expect, test } from "vitest";
import { weakness } from "./index.js";

describe("a summary says what the function does", () => {
  test.each([
    "Finds the first row that has the key.",
    "asynchronously fetch all pages",
    "Apply the mask to each pixel.",
    "This method also updates the index of rows.",
    "Helper function for determining how wide a row is.",
    "A function that turns rows into columns.",
    "Given a key and a table, returns the row of it.",
    "For each page, draw the frame.",
    "Whether the list is empty.",
    "True if the list is empty.",
    "If the list is open, closes it. Otherwise it opens it.",
    "Enable/disable the clock of the timer.",
    "Looks up a key by its name.",
    "Test whether both ends meet.",
    "Set the value of all cells.",
    "Appends a row to the table:",
    "Takes an open file and closes it.",
  ])("%s", (sentence) => {
    expect(weakness(sentence)).toBeUndefined();
  });
});

describe("what does not is told apart", () => {
  test.each([
    ["The URL to go to after the user has left.", "no-verb"],
    ["Window size controls how many values are kept.", "no-verb"],
    ["Network driver binding support.", "no-verb"],
    ["Rows may not overlap, so their order is kept.", "no-verb"],
    ["Set of rows that are shown.", "no-verb"],
    ["Test helper function.", "no-verb"],
    ["The set process of the program.", "no-verb"],
    ["For all rows in this table, see if they are used.", "no-verb"],
    ["Called when the table was drawn.", "no-verb"],
    ["Specifies the width of the table.", "no-verb"],
    ["If both are equal, then TRUE is returned.", "no-verb"],
    ["SHOW VARIABLES LIKE 'name'", "no-verb"],
    ["Gets the of the table.", "broken"],
    ["Parses a,, or block of names.", "broken"],
    ["Returns ($row is null?", "broken"],
    ["Reads rows until the end of the", "broken"],
    ["Adds a label if any of the following conditions are true:", "broken"],
    ["Add rows, e.g.", "broken"],
    ["POST /api/v3/orders/:id/returns", "no-verb"],
    ["Accept a second argument for backward compatibility with old jobs.", "no-deed"],
    ["Skip, sort, limit are given as stages.", "no-deed"],
    ["Get /orders", "no-deed"],
    ["Takes three arguments.", "no-deed"],
    ["Returns 0 for success, -1 for failure.", "no-deed"],
    ["Prints the axis of the node as follows", "broken"],
    ["Call this when a row has gone.", "no-deed"],
  ])("%s: %s", (sentence, expected) => {
    expect(weakness(sentence)).toBe(expected);
  });
});
