import { nameParts } from "../../base/index.js";
import type { TrainingPair } from "../types.js";

/**
 * The words of a function's name, in lower case: split at everything that is neither letter nor digit, at camelCase humps,
 * and between letters and digits. Of a qualified name (`List.sortBy`) the last part only. Undefined where one word or
 * none is left, which asks for nothing in particular.
 *
 * @example
 * nameQuery("Json::parseHTTPResponse2"); // "parse http response 2"
 * nameQuery("__init__");                 // undefined
 */
export function nameQuery(name: string): string | undefined {
  const last = /[^.:#\\]*$/.exec(name)![0];
  const words = nameParts(last);
  return words.filter((word) => /\p{L}/u.test(word)).length < 2 ? undefined : words.join(" ").toLowerCase();
}

/** Whether a body says the function's name, so that the name is no fair question for it. */
export function saysName(body: string, name: string): boolean {
  const last = /[^.:#\\]*$/.exec(name)![0];
  return last !== "" && body.includes(last);
}

/** The whole documentation as a query: white space collapsed. Undefined where it says no more than the summary. */
export function docstringQuery({ docstring, summary }: TrainingPair): string | undefined {
  const whole = docstring?.trim().replace(/\s+/g, " ");
  return whole === undefined || whole === "" || whole === summary.trim() ? undefined : whole;
}

/** Whether the code holds the summary word for word, across line breaks and comment marks; short ones prove nothing. */
export function givesAway(code: string, summary: string): boolean {
  const flat = (text: string): string => text.replace(/[\s*#/]+/g, " ").trim();
  const needle = flat(summary);
  return needle.split(" ").length >= 4 && flat(code).includes(needle);
}
