import type { Language } from "../../base/index.js";
import { withoutRubyMarks } from "./_mend.js";
import { capital } from "./_subject.js";

/**
 * The part of a docstring that describes, without its tags; `inherited` where it only points to another's. `returned`
 * where nothing is described but the returned value.
 */
export type Description =
  { readonly text: string; readonly returned?: true } | { readonly dropped: "inherited" | "no-description" };

/**
 * Finds the description in a docstring: what stands before the first tag or section, or the text of a `@brief` or
 * `@description` tag, or C#'s `<summary>`. Inline tags (`{@link Foo}`, `:class:`Foo``, `<see cref="Foo"/>`) leave the
 * words that a reader would see. Paragraph marks become blank lines.
 */
export function describe(docstring: string, language: Language): Description {
  const whole = docstring.replace(/\r\n?/g, "\n");
  let text = whole;
  if (INHERITED.test(text)) return { dropped: "inherited" };
  if (language === "csharp" || /^\s*<summary>/.test(text)) {
    const xml = xmlSummary(text);
    if (xml === undefined) return { dropped: /<inheritdoc\b/i.test(text) ? "inherited" : "no-description" };
    text = xml;
  }
  if (language === "c") {
    text = withoutColumn(text);
    if (PARAMETERS.test(text) || PETSC_TYPE.test(text)) return { dropped: "no-description" };
    text = untilCapitals(withoutHeading(text.replace(CALL_SEQUENCE, "$1")));
  }
  if (language === "python") text = text.replace(SIGNATURE_LINE, "").replace(EPYTEXT, "$1");
  if (language === "ruby") {
    text = withoutRubyMarks(text)
      .replace(CALL_SEQUENCE, "$1")
      .replace(TOMDOC, "")
      .replace(/(?<![\w+])\+([\w.:?!=@]+)\+(?![\w+])/g, "$1");
  }
  text = inlineTags(text);
  const tag = /(?:^|\n)\s*[@\\](?:brief|short|desc|description|summary)\b[ \t:]*\n?/.exec(text);
  const before = untilTag(text);
  // A description before the tags wins, unless `@brief` is the very first thing.
  if (before.trim() === "" && tag !== null) text = untilTag(text.slice(tag.index + tag[0].length));
  else text = before;
  if (text.trim() !== "") return { text };
  const returned = returnText(whole, language);
  if (returned !== undefined) return { text: returned, returned: true };
  return { dropped: /(?:^|\n)\s*@(?:see|override|inheritDoc)\b/.test(docstring) ? "inherited" : "no-description" };
}

/**
 * What the documentation says of the returned value, as a sentence: many functions are documented by nothing else
 * (`@return a deep copy of this object`). Undefined where that is a type or a word or two.
 */
function returnText(docstring: string, language: Language): string | undefined {
  const found = RETURN_TAG.exec(docstring)?.[1] ?? RETURN_SECTION.exec(docstring)?.[2];
  if (found === undefined) return undefined;
  let text = inlineTags(found.replace(/\s+/g, " ").replace(EPYTEXT, "$1")).trim();
  if (language === "javascript" || language === "typescript") text = withoutBraces(text).replace(/^[-–—:]\s*/, "");
  else if (language === "ruby" || language === "c") {
    const nothing = /^\[(?:void|nil|undefined|self)\]\s*(?=[a-z]+s\b)/.exec(text);
    if (nothing !== null) return capital(text.slice(nothing[0].length));
    text = text.replace(/^\[[^\]]*\]\s*/, "");
  } else if (language === "php") text = text.replace(PHP_TYPE, "");
  else if (language === "python") text = text.replace(/^(?:[\w.]+(?:\[[^\]]*\])?|\([\w., ]*\)):\s+/, "");
  text = text.replace(/^[-–—:]\s*/, "");
  if ((text.match(/\p{L}{2,}/gu)?.length ?? 0) < 3) return undefined;
  if (/^(?:return|get|give|yield)s?\b/i.test(text)) return text;
  return `Returns ${/^\p{Lu}\p{Ll}|^A\s/u.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text}`;
}

const RETURN_TAG = /(?:^|\n)[ \t]*(?:[@\\]returns?:?|:returns?:)[ \t]+(\S.*(?:\n(?![ \t]*(?:[@\\:]\w|\n)).*)*)/;
const RETURN_SECTION = /(?:^|\n)([ \t]*)Returns?:[ \t]*\n(?=\1[ \t]+\S)((?:\1[ \t]+\S.*(?:\n|$))+)/;
const PHP_TYPE = /^[\w\\|?&]+(?:<[^>]*>+|\[\]|\{[^}]*\})*(?:\|[\w\\<>[\]|?, ]+?)?(?:\s+|$)/;

/** Without the `{type}` that opens a JSDoc tag, braces inside it included. */
function withoutBraces(text: string): string {
  if (!text.startsWith("{")) return text;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}" && --depth === 0) return text.slice(at + 1).trim();
  }
  return "";
}

const INHERITED =
  /\{?@inheritdoc\b|<inheritdoc\b|\(non-Javadoc\)|^\s*@override\s*$|\{@inheritDoc\}|^\s*(?:see|cf\.?|@see|\\copydoc|@copydoc)\s+(?:[\w.$:#\\/()[\]{}*&<>,`"'-]+\s*)\.?\s*$|^\s*(?:inherited from|overrides?|overridden from|implements?|implementation of)\s+(?:[\w.$:#\\]+(?:\(\))?)\s*\.?\s*$/i;

function untilTag(text: string): string {
  const end = TAG_LINE.exec(text);
  return end === null ? text : text.slice(0, end.index);
}

/** A line that opens a tag (`@param`, `\return`, `:param x:`) or a section (`Args:`, `Parameters` over dashes). */
const TAG_LINE = new RegExp(
  [
    String.raw`^[ \t]*[@\\][A-Za-z][\w-]*`,
    String.raw`^[ \t]*:(?!\w+:\x60)[A-Za-z][^:\n]{0,80}:(?=\s|$)`,
    String.raw`^[ \t]*(?:Args?|Arguments?|Parameters?|Params|Keyword Args|Keyword Arguments|Options|Inputs?|Outputs?|Returns?|Return value|Yields?|Raises?|Throws|Exceptions?|Attributes|Examples?|Usage|Notes?|References|See Also|Todo|Warnings?|Side effects|Since|Requires|Signature|Complexity|Syntax)[ \t]*:{1,2}[ \t]*$`,
    String.raw`^[ \t]*(?:Parameters|Returns|Raises|Yields|Examples?|Notes?|Attributes|References|See Also|Options|Return Value)[ \t]*\n[ \t]*(?:-{3,}|={3,}|~{3,})`,
    String.raw`^[ \t]*={1,4} \S`,
    String.raw`^[ \t]*#{1,4} (?:Parameters|Arguments|Returns|Examples?|Usage|Options)\b`,
    String.raw`^[ \t]*(?:call-seq:|:call-seq:)`,
  ].join("|"),
  "m",
);

/** A banner's own column of `#` or `*`, where every line has it. */
function withoutColumn(text: string): string {
  const lines = text.split("\n");
  const column = lines.length > 2 || lines.every((line) => /^\s*\*\*\s/.test(line));
  return column && lines.every((line) => /^\s*(?:[#*|]|$)/.test(line))
    ? lines.map((line) => line.replace(/^\s*[#*|]+/, "").replace(/[#*|]+\s*$/, "")).join("\n")
    : text;
}

/**
 * gtk-doc opens with `name:` and lists parameters before the description; kernel-doc writes `name() - description`;
 * banners have fields (`Function: name`, `Purpose: description`).
 */
function withoutHeading(text: string): string {
  const field = FIELD.exec(text);
  // `name - does this` says it before the fields do.
  if (field !== null && !/^\s*\w+(?:[ \t]*\([^()\n]*\))?[ \t]+--?[ \t]+\S/.test(text)) {
    return text.slice(field.index + field[0].length);
  }
  const titled =
    /^[ \t]*(?:FUNCTION|NAME|ROUTINE|(?:Function|Name|Routine|Method|Procedure)[ \t.]*:)[ \t]*\n?.*\n/.exec(text);
  if (titled !== null) return withoutHeading(text.slice(titled[0].length).replace(/^\s+/, ""));
  const gtk = /^\w+(?:[ \t]*\(\))?(?::[ \t]*(?:\n|$)|[ \t]*\n(?=[ \t]*@\w[\w.]*[ \t]*:))/.exec(text);
  if (gtk !== null) return text.slice(gtk[0].length).replace(/^(?:[ \t]*@\w[\w.]*:.*\n?(?:[ \t]*[^@\s].*\n?)*)+/, "");
  const kernel = /^\w+(?:[ \t]*\([^()\n]*\))?[ \t]+--?(?:[ \t]+(?=\S)|[ \t]*\n\s*(?=\S))/.exec(text);
  return kernel === null ? text : text.slice(kernel[0].length);
}

/** HDF5's banners have fields too: what follows `USAGE` and its like on a line of their own is no description. */
function untilCapitals(text: string): string {
  const end =
    /\n[ \t]*(?:USAGE|RETURNS?|DESCRIPTION|GLOBAL VARIABLES|COMMENTS,[^\n]*|EXAMPLES|REVISION LOG)[ \t]*(?:\n|$)/.exec(
      text,
    );
  return end === null || text.slice(0, end.index).trim() === "" ? text : text.slice(0, end.index);
}

/** PETSc tells of a type (`MC MATDENSE - a matrix type`) above the function that makes one. */
const PETSC_TYPE = /^\s*MC\s+[A-Z][A-Z\d_]{2,}\s+[-=]/;

/** Nothing but parameters: `op - the operation`, a line each, under names that are no function's. */
const PARAMETERS = /^\s*[a-z]\w{0,15} +- [^\n]+\n\s*[a-z]\w{0,15} +- \S/;

/** The field of a banner that describes; `[ .]*` because some are drawn out with dots. */
const FIELD =
  /(?:^|\n)[ \t]*(?:purpose|description|desc|synopsis|abstract|summary)[ \t.]*(?::[ \t]*-?|\n[ \t]*-{2,}|(?<=\n[ \t]*(?:DESCRIPTION|PURPOSE))\n)[ \t]*\n*/i;

/** Epytext: `L{Foo}`, `C{None}`. */
const EPYTEXT = /\b[LCIBMUEX]\{([^{}\n]*)\}/g;
/** TomDoc says first who may call. */
const TOMDOC = /^\s*(?:Public|Internal|Private):\s+/;

/** Docstrings of compiled functions open with a signature: `pow(x, y) -> number`. */
const SIGNATURE_LINE = /^[\w.]+\([^\n]*\)(?:[ \t]*->[^\n]*)?[ \t]*\n(?=\s*\S)/;
/** RDoc: `call-seq:` and the indented lines after it. */
const CALL_SEQUENCE = /(^|\n)[ \t]*:?call-seq:[ \t]*\n(?:[ \t]+\S.*(?:\n|$)|[ \t]*\n)*/g;

/** Text of `<summary>` with its inner marks resolved; undefined where there is none. */
function xmlSummary(text: string): string | undefined {
  const found = /<summary>([^]*?)(?:<\/summary>|$)/i.exec(text);
  const inner =
    found?.[1] ?? (/<(?:param|returns|remarks|inheritdoc|exception|value|include)\b/i.test(text) ? undefined : text);
  return inner
    ?.replace(
      /<see(?:also)?\s+(?:cref|langword|href)\s*=\s*"(?:[A-Z]:)?([^"]*)"\s*(?:\/>|>\s*<\/see(?:also)?>)/gi,
      (_, target: string) => lastPart(target),
    )
    .replace(/<(?:paramref|typeparamref)\s+name\s*=\s*"([^"]*)"\s*(?:\/>|>\s*<\/\w+>)/gi, "$1")
    .replace(/<see(?:also)?\b[^>]*>([^]*?)<\/see(?:also)?>/gi, "$1")
    .replace(/<\/?(?:para|list|item|code|br|description|term)\b[^>]*>/gi, "\n\n")
    .replace(/<\/?(?:c|b|i|u|em|strong|a|tt)\b[^>]*>/gi, "")
    .replace(/<!\[CDATA\[([^]*?)\]\]>/g, "$1");
}

/** `M:System.Text.Foo.Bar(System.Int32)` -> `Bar`; a URL has none. */
function lastPart(target: string): string {
  if (/^https?:/.test(target)) return "";
  const name = target
    .replace(/\(.*$/, "")
    .replace(/`+\d+/g, "")
    .replace(/\{[^}]*\}/g, "");
  return name.slice(name.lastIndexOf(".") + 1);
}

function inlineTags(text: string): string {
  return (
    text
      .replace(
        /\{@(?:link|linkplain|linkcode|see|tutorial)\s+([^\s|}]+)(?:\s*\|\s*|\s+)?([^}]*)\}/g,
        (_, target: string, label: string) =>
          label.trim() === "" ? target.replace(/^.*[#/](?=\w)/, "").replace(/^module:/, "") : label.trim(),
      )
      .replace(/\{@(?:code|literal|value|snippet)\s+((?:[^{}]|\{[^{}]*\})*)\}/g, "$1")
      .replace(/\{@\w+\s*([^{}]*)\}/g, "$1")
      // Sphinx roles, with or without a label: :py:class:`Foo <mod.Foo>` -> Foo
      .replace(/:(?:\w+:)?\w+:`~?([^`<]*?)(?:\s*<[^`>]*>)?`/g, (_, target: string) => target.replace(/^[!~]/, ""))
      // Doxygen's marks for single words
      .replace(
        /(^|[\s(])[@\\](?:p|c|a|e|b|em|ref|link|endlink|code|endcode|verbatim|endverbatim|f\$|n)(?=[\s).,])[ \t]?/g,
        "$1",
      )
      .replace(/(^|\s)[@\\][{}]/g, "$1")
      .replace(/``([^`]*)``/g, "$1")
      .replace(/\[([^\]\n]+)\]\((?:[^()\s]|\([^()]*\))*(?:\s+"[^"]*")?\)/g, "$1")
      .replace(/`([^`\n]*)`__?/g, (_, inner: string) => inner.replace(/\s*<[^>]*>$/, ""))
  );
}
