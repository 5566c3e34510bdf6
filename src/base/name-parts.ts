/**
 * The parts of a name: split at everything that is neither letter nor digit, at snake_case bars, at camelCase humps, and
 * between letters and digits.
 *
 * @example
 * nameParts("parseHTTPResponse2"); // ["parse", "HTTP", "Response", "2"]
 */
export function nameParts(name: string): string[] {
  return name.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|\p{N}+/gu) ?? [];
}
