import { alternatives } from "./_alternatives.js";
import { allOf } from "./expression.js";
import { namedLicences } from "./_names.js";
import { plainText, withoutRemarks } from "./text.js";

/** How far into a file its notice is looked for, in bytes. */
const HEADER = 4096;

const HINT =
  /(public|source|elastic|distribution|attribution|use)[\s*#/]+licen[sc]e|commons[\s*#/]+clause|non-?commercial/i;

/** What stands right before the name of the licence under which something is given. */
const GIVEN_UNDER = /\b(under|terms of|subject to|governed by|covered by|permitted by|copy of)\b[^.;]{0,90}$/;

/**
 * The licence that the comments at a file's beginning give it in words, if it is other than a permissive one: the notices
 * of the GPL and its kin, the MPL, the EPL and others. Undefined if there is no such notice, which says nothing about the
 * file. A choice that the notice offers is an `OR`.
 */
export function noticeLicence(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER)).toString("latin1");
  if (!HINT.test(head)) return undefined;
  const plain = withoutRemarks(plainText(commentsOf(head)));
  const named = namedLicences(plain, (at) => GIVEN_UNDER.test(plain.slice(Math.max(0, at - 160), at)));
  if (named.length === 0) return undefined;
  return alternatives(plain, []) ?? allOf(named.map(({ spdx }) => spdx));
}

/** What looks like a comment in any of the languages: code that deals with licences names them too. */
function commentsOf(head: string): string {
  const comments = head.matchAll(
    /\/\*[^]*?(?:\*\/|$)|(?:^|\n)[ \t]*(?:\/\/|#|--|;)[^\n]*|"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|\n=begin[^]*?(?:\n=end|$)/g,
  );
  return [...comments].map(([comment]) => comment.replace(/^[ \t]*[;-]{1,3}/gm, " ")).join("\n");
}
