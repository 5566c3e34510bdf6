import { describe, expect, test } from "vitest";
import type { Language } from "../base/index.js";
import { summarise } from "./index.js";

const summary = (docstring: string, name?: string, language: Language = "javascript"): string => {
  const result = summarise(docstring, language, name === undefined ? {} : { name });
  return "summary" in result ? result.summary : `(${result.dropped})`;
};

describe("a function's name does not open its summary", () => {
  test.each<[Language, string, string, string]>([
    ["go", "Area", "Area returns the area of a disc.", "Returns the area of a disc."],
    ["go", "Create", "Create - requests the creation of a port", "Requests the creation of a port"],
    ["go", "CopyValue", "CopyValue will copy one value to dst.", "Copy one value to dst."],
    ["go", "Remove", "Remove is called when a file goes away.", "(note)"],
    ["go", "Put", "Put the object into the bucket", "Put the object into the bucket"],
    ["c", "list_add", "list_add() - add an entry behind the head", "add an entry behind the head"],
    ["c", "print", "print -- do a raw print of a string", "do a raw print of a string"],
    ["c", "heap_open", "heap_open\n\n\tOpens a heap relation by OID.", "Opens a heap relation by OID."],
    ["java", "run", "This method will check the whole queue.", "Check the whole queue."],
    ["javascript", "bar", "Foo.bar() returns what is left over.", "Returns what is left over."],
    ["python", "close", "close resets the reader to the start.", "Resets the reader to the start."],
    ["java", "sort", "Sort sorts rows by their key.", "Sorts rows by their key."],
    ["php", "report", "Report exceptions and tell them apart.", "Report exceptions and tell them apart."],
    ["php", "commit", "Commit changes resulting from delete().", "Commit changes resulting from delete()."],
    ["python", "_rename", "Rename columns of the frame.", "Rename columns of the frame."],
    ["go", "Unmarshal", "Unmarshal bytes b into the request.", "Unmarshal bytes b into the request."],
    ["go", "Truncate", "Truncate changes the size of the file.", "Changes the size of the file."],
    ["javascript", "f", "This method can be used to render outlines in VR.", "Render outlines in VR."],
    ["php", "f", "This function allows you to check if a node exists.", "Check if a node exists."],
    ["c", "f", "This function is used by the parser for rows.", "This function is used by the parser for rows."],
  ])("%s %s: %j", (language, name, docstring, expected) => {
    expect(summary(docstring, name, language)).toBe(expected);
  });
});

describe("what is said of the returned value stands in for a description", () => {
  test.each<[Language, string, string]>([
    ["java", "@return deep copy of this {@code Foo}", "Returns deep copy of this Foo"],
    [
      "javascript",
      "@private\n@return {!Array<{a: number}>} The names of all parts.",
      "Returns the names of all parts.",
    ],
    ["php", "@param int $x\n@return array<int, string>|null the rows of the table", "Returns the rows of the table"],
    ["ruby", "@return [Boolean] Returns `true` if it exists.", "Returns true if it exists."],
    ["ruby", "@return [void] performs a clean up of all parts", "Performs a clean up of all parts"],
    ["python", ":param x: data\n:return: Whether it is polarized.", "Returns whether it is polarized."],
    ["python", "Args:\n    x: data\nReturns:\n    str: The name of the thing.\n", "Returns the name of the thing."],
    ["java", "@return status", "(no-description)"],
  ])("%s %j", (language, docstring, expected) => {
    expect(summary(docstring, "f", language)).toBe(expected);
  });
});

describe("headings and banners of C", () => {
  test.each([
    ["Function:\tH5F_open\n\nPurpose:\tOpens a file by its flags.\n\nReturn: x", "Opens a file by its flags."],
    [
      "FUNCTION\n\tfloat _sinf4(float angle)\n\nDESCRIPTION\n\tComputes the sine of angles.",
      "Computes the sine of angles.",
    ],
    ["ice_clear\n@hw: pointer to it\n\nTell the firmware that all is ready.", "Tell the firmware that all is ready."],
    ["# Name.....: f\n#\n# Purpose..: Frees all the memory.\n#", "Frees all the memory."],
    [":call-seq:\n  subset()\n\nGet the internal subset", "Get the internal subset"],
  ])("%j", (docstring, expected) => {
    expect(summary(docstring, "f", "c")).toBe(expected);
  });
});

describe("a sentence without a full stop ends with its line where the next begins another", () => {
  test.each([
    [
      "Put the object into the bucket\nCopy the reader in to the new object which is returned",
      "Put the object into the bucket",
    ],
    [
      "Returns the number of elements of the\nUnicode table that was loaded before all others",
      "Returns the number of elements of the Unicode table that was loaded before all others",
    ],
    ["Appends a row to the table:\n  table << [1, 2]\n", "Appends a row to the table:"],
    ["Get the text of the clipboard NOTE: free it", "Get the text of the clipboard"],
  ])("%j", (docstring, expected) => {
    expect(summary(docstring)).toBe(expected);
  });
});

describe("remarks are no summaries", () => {
  test.each([
    ["(see Provider#refresh)", "inherited"],
    ["See Porting Layer Definition - p. 7", "inherited"],
    ["Same as the other method", "inherited"],
    ["Hash implements fs.Object.", "inherited"],
    ["Defined by Zend_Filter_Interface", "inherited"],
    ["Defined by \\Zend\\Mvc\\RouteInterface interface.", "inherited"],
    ["The actual implementation of the rewriteContent function", "inherited"],
    ["Abstract method implementation.", "inherited"],
    ["Most of the button logic lives in this shared hook.", "note"],
    ["callback to invoke once a key has been set", "note"],
    ["Base class for the rows of a table.", "group"],
    ["A helper class that provides texts of shortcuts.", "group"],
    ["Callers must hold the lock of the table.", "note"],
    ["This is an internal API that supports the framework.", "note"],
    ["This method exists because we need it in tests.", "note"],
    ["Taken from the Python documentation", "note"],
    ["Lock does NOT need to be held here.", "note"],
    ["Safety: this function never raises.", "note"],
    ["The salt can only be changed in the file itself.", "note"],
    ["We only want the first of these rows.", "note"],
    ["In older browsers the event is missing.", "note"],
    ["Helper functions for the tests of the parser.", "group"],
    ["add_init(), add_start() and add_end() implement adding.", "group"],
    ["These functions convert between units.", "group"],
    ["P1p1 constructor.", "templated"],
    ["Test for issue #6503", "templated"],
    ["Program main entry point", "templated"],
    ["Creates a new instance of Foo.", "templated"],
    ["Gets the value of the name property.", "templated"],
    ['WhereClause ::= "WHERE" Expression', "not-prose"],
    ["Rational + Rational -> Rational", "not-prose"],
    ["0 <= red, green, blue < 32", "not-prose"],
  ])("%s", (docstring, reason) => {
    expect(summary(docstring, "hash")).toBe(`(${reason})`);
  });

  test.each([
    "See if the next character is a blank.",
    "Adds charsets to arrays generated by the database.",
    "Overrides the default so that it waits for all parts.",
    "Implements the reader by asking the cache first.",
    "Returns c.Name() of all PSObject[] parts.",
    "Tests that rows are kept when the issue tracker is down.",
    "Creates a Foo from the given string.",
    "Helper to find the nearest row.",
    "Predict class for the rows of X.",
    "Adds a class to the element.",
    "Default implementation of the walk, which asks each node.",
    "Callback invoked when the link's status has changed.",
    "If the list is open, closes it. Otherwise it opens it.",
  ])("%s", (sentence) => {
    expect(summary(sentence, "f")).toBe(sentence);
  });
});

test("a constructor's documentation that describes its class is no summary of the function", () => {
  expect(summary("A widget for finding addresses.", "Geocoder")).toBe("(group)");
  expect(summary("A factory function that mixes parts into an object.", "Mixer")).not.toBe("(group)");
  expect(summary("Draws a widget for addresses.", "Geocoder")).toBe("Draws a widget for addresses.");
  expect(summary("A widget for finding addresses.", "geocoder")).toBe("A widget for finding addresses.");
  expect(summary("A widget for finding addresses.", "Geocoder", "typescript")).not.toBe("(group)");
});

test("documentation that says the opposite of the name was copied from elsewhere", () => {
  expect(summary("Gets the colour of the line.", "setColour")).toBe("(contradiction)");
  expect(summary("Activate one pipeline by name", "deactivate_pipeline")).toBe("(contradiction)");
  expect(summary("Creates a request that deletes it.", "deleteRow")).toBe("(contradiction)");
  expect(summary("Sets the colour of the line.", "setColour")).toBe("Sets the colour of the line.");
  expect(summary("Gets the set of all lines.", "lines")).toBe("Gets the set of all lines.");
});

describe("who calls a function, and what stands around it, is no description", () => {
  test.each<[string, string]>([
    ["Called from EVP_CipherInit when there is no context yet", "(note)"],
    ["(called from dispatcher.py to fill in missing information)", "(note)"],
    ["This routine is called by the core when an image is being unloaded.", "(note)"],
    ["Called by the scanner to free the memory of a token.", "Called by the scanner to free the memory of a token."],
    ["Called when a key is pressed in the list.", "(note)"],
    ["This is run in interrupt context.", "(note)"],
    ["This implements the fs_vtable_t.open_for_recovery() API.", "(inherited)"],
    ["An svn_delta_editor_t function.", "(inherited)"],
    ["A callback of type svn_receiver2_t.", "(inherited)"],
    [
      "Implementation of svn_receiver_t that stores the name.",
      "Implementation of svn_receiver_t that stores the name.",
    ],
    ["Destroys the given lock_t", "Destroys the given lock_t"],
    ["May be overridden in plat/main.c", "(note)"],
    ["This currently does not expand correlated joins correctly.", "(note)"],
    ["Legacy function for compatibility with old views.", "(note)"],
    ["This constructor takes an error id and optional parameters.", "(note)"],
    ["This constructor builds an empty licence.", "This constructor builds an empty licence."],
    ["The constructor for AccessKeyPressed event args", "(templated)"],
    ["Helper function for PLySequence_ToArray.", "(inherited)"],
    ["Helper function to fetch and lock shared stats.", "Helper function to fetch and lock shared stats."],
  ])("%j", (docstring, expected) => {
    expect(summary(docstring, "name", "c")).toBe(expected);
  });

  test("sections under capitals end a banner, and parameters alone are none", () => {
    const banner =
      "\n NAME\n    H5S_add\n PURPOSE\n    Add a single element to a tree\n USAGE\n    herr_t H5S_add(space)\n RETURNS\n    Non-negative\n";
    expect(summary(banner, "H5S_add", "c")).toBe("Add a single element to a tree");
    expect(summary("** e   - the entry to read from\n** age - the group to add to", "add", "c")).toBe(
      "(no-description)",
    );
    expect(summary("MC MATDENSE - A matrix type for dense matrices.", "MatCreate_Dense", "c")).toBe("(no-description)");
    expect(summary("fetch_datum -\n\n\tReassembles a datum from its chunks.", "fetch_datum", "c")).toBe(
      "Reassembles a datum from its chunks.",
    );
    expect(summary("close - ends the session\nand frees it", "close", "c")).toBe("ends the session and frees it");
  });

  test("a link's text may run over the end of a line", () => {
    const text =
      'Use the <a href="https://a.b/c">Issuer</a> by making an <a href="https://a.b/d">OpenID\n Provider Request</a> to it.';
    expect(summary(text, "of", "java")).toBe("Use the Issuer by making an OpenID Provider Request to it.");
  });
});
