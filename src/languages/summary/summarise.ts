import type { Language } from "../../base/index.js";
import { describe } from "./_description.js";
import { isEnglish, isOtherScript } from "./_english.js";
import { firstParagraph, firstSentence } from "./_sentence.js";
import { decodeEntities, repairUnicode } from "./_unicode.js";

/** Why a docstring gives no summary. Each is counted in the corpus manifest. */
export const SUMMARY_DROPS = [
  "no-description",
  "inherited",
  "note",
  "licence",
  "templated",
  "group",
  "contradiction",
  "not-prose",
  "not-english",
  "too-short",
  "too-long",
] as const;
export type SummaryDrop = (typeof SUMMARY_DROPS)[number];

export type Summary = { readonly summary: string } | { readonly dropped: SummaryDrop };

export interface SummaryOptions {
  /** Tokens of a text, for the bounds; words and numbers by default. */
  readonly countTokens?: (text: string) => number;
  /** Default 3. */
  readonly minTokens?: number;
  /** Default 256. */
  readonly maxTokens?: number;
  /** The function's name: a summary that opens with it loses it (`Area returns ...` becomes `Returns ...`). */
  readonly name?: string;
}

/**
 * The summary of a docstring: its first sentence, without URLs, HTML and doc tags, entities decoded
 * and mojibake repaired; dropped where it is not English, under 3 or over 256 tokens, or no description at all.
 *
 * @example
 * summarise("Rounds, e.g. 1.5 to 2. Ties go up.\n\n:param x: number", "python"); // { summary: "Rounds, e.g. 1.5 to 2." }
 * summarise("{@inheritDoc}", "java");                                            // { dropped: "inherited" }
 */
export function summarise(docstring: string, language: Language, options: SummaryOptions = {}): Summary {
  // No first sentence is longer; what follows in a huge comment cannot matter.
  const description = describe(repairUnicode(docstring.slice(0, LONGEST)), language);
  if ("dropped" in description) return description;
  const paragraph = withoutTitle(
    firstParagraph(withoutNameLine(stripMarks(description.text), options.name)),
    options.name,
  );
  if (LICENCE.test(paragraph)) return { dropped: "licence" };
  if (NOTE.test(paragraph)) return { dropped: "note" };
  const first = firstSentence(paragraph);
  const sentence = withoutName(tidy(first), options.name);
  if (sentence === "") return { dropped: "no-description" };
  if (isOtherScript(sentence)) return { dropped: "not-english" };
  if (POINTER.test(sentence)) return { dropped: "inherited" };
  if (NOTE.test(sentence)) return { dropped: "note" };
  if (TEMPLATED.test(sentence)) return { dropped: "templated" };
  if (GROUP.test(sentence)) return { dropped: "group" };
  if (options.name !== undefined && contradicts(sentence, options.name)) return { dropped: "contradiction" };
  if (GRAMMAR.test(first) || !isProse(sentence)) return { dropped: "not-prose" };
  const tokens = (options.countTokens ?? countWords)(sentence);
  if (tokens < (options.minTokens ?? 3)) return { dropped: "too-short" };
  if (tokens > (options.maxTokens ?? 256)) return { dropped: "too-long" };
  if (!isEnglish(sentence)) return { dropped: "not-english" };
  return { summary: sentence };
}

const LONGEST = 10_000;

/** Words and numbers of a text. */
export function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
}

/** HTML to text: block elements separate paragraphs, the rest goes; then entities; then URLs. */
function stripMarks(text: string): string {
  const plain = text
    .replace(/<!--[^]*?-->/g, " ")
    .replace(/<\/?(?:p|br|div|ul|ol|li|dl|dt|dd|pre|table|tr|td|th|h[1-6]|hr|blockquote|section)\b[^<>]*>/gi, "\n\n")
    .replace(
      /<\/?(?:a|abbr|b|i|u|s|em|strong|code|tt|kbd|samp|var|span|small|big|sub|sup|font|center|img|cite|q|del|ins|mark|nobr|c|see|para|paramref)\b[^<>]*>/gi,
      "",
    );
  return decodeEntities(plain)
    .replace(
      /(?:[,;(]?\s*\b(?:see|see also|cf\.?|at|from|via|refer to):?\s+)?<?\b(?:https?|ftp|file):\/\/[^\s<>"'`)\]}]+[^\s<>"'`)\]}.,;:!?]>?/gi,
      "",
    )
    .replace(/\bwww\.[^\s<>"'`)\]}]+/gi, "");
}

/** Blanks and punctuation that the removals left behind. */
function tidy(sentence: string): string {
  return sentence
    .replace(/\[TOC\]|(?<![\w>)\]])(?:\(\s*(?:see|cf\.?|from|at)?:?\s*\)|\[\s*\])|<\s*>/gi, "")
    .replace(/`/g, "")
    .replace(/(?<![*\w])\*{1,2}(?=\S)([^*\n]+?)(?<=\S)\*{1,2}(?![*\w])/g, "$1")
    .replace(/^(?:[-*+>•:;,|!]+\s+)+|^[*#|]+/, "")
    .replace(/\s+([,.;:!?)])(?=\s|$)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
}

/** Without a first line that is only the function's name, as PostgreSQL has it. */
function withoutNameLine(text: string, name: string | undefined): string {
  const line = /^\s*[`'"*]*([\w$]+)(?:[ \t]*\([^()\n]*\))?[`'"*]*[ \t]*(?:--?|:)?[ \t]*\n/.exec(text);
  return line !== null && name !== undefined && sameName(line[1]!, name) ? text.slice(line[0].length) : text;
}

/** Without a title before the description: `name - does this`, `name(): does this`. */
function withoutTitle(paragraph: string, name: string | undefined): string {
  if (name === undefined) return paragraph;
  const title =
    /^[`'"*]*((?:[\w$]+(?:\.|::|#|->))*)([\w$]+[?!]?)[`'"*]*(?:\s?\([^()]*\))?\s*(?:--?|[–—:])\s+(?=\S)/.exec(
      paragraph,
    );
  return title !== null && sameName(title[2]!, name) ? capital(paragraph.slice(title[0].length)) : paragraph;
}

/**
 * Without the function's name as its subject, as Go's convention has it: `Area returns the area` becomes `Returns the
 * area`. The name stands in the code, so it would be matched and not understood, and nobody's question opens with it. It
 * stays where the rest is no sentence: `Area is called by draw`, `Put the object`.
 */
function withoutName(sentence: string, name: string | undefined): string {
  if (name === undefined) return sentence;
  const subject =
    /^[`'"*]*(?:the\s+)?((?:[\w$]+(?:\.|::|#|->))*)([\w$]+[?!]?)[`'"*]*(?:\s?\([^()]*\))?[`'"]*(?:\s+(?:method|function))?\s+/i.exec(
      sentence,
    );
  const future = FUTURE.exec(sentence);
  if (future !== null) return capital(sentence.slice(future[0].length));
  if (subject === null || !sameName(subject[2]!, name)) return sentence;
  const rest = sentence.slice(subject[0].length);
  const will = /^(?:will|can be used to|is used to|attempts? to)\s+(?=[a-z]+\b)(?!be\b|not\b|only\b|have\b)/.exec(rest);
  if (will !== null && !/^attempt/.test(will[0])) return capital(rest.slice(will[0].length));
  const verb = /^(?:(?:also|then|simply|just|safely|recursively|atomically|first) )?([A-Za-z]+)\b/.exec(rest)?.[1];
  if (verb === undefined || NO_VERBS.has(verb) || !/[a-z]s$|^[A-Z][a-z]+$/.test(verb) || /ss$/.test(verb))
    return sentence;
  // `Node Returns` needs a capital that the name itself cannot explain: `Set Cookie`.
  if (/^[A-Z]/.test(verb) && !VERBS.test(verb)) return sentence;
  return capital(rest);
}

/** `This function will check ...`, `Will check ...`. */
const FUTURE =
  /^(?:(?:this|the) (?:function|method|routine|procedure|call|macro|helper) |this |it )?will (?:also |then |simply |try to |attempt to )?(?=[a-z]+\b)(?!be\b|not\b|only\b|have\b|never\b|always\b|also\b|then\b|simply\b|by\b|contain\b|cause\b|result\b|work\b|take\b|fail\b|throw\b|happen\b)/i;

const NO_VERBS: ReadonlySet<string> = new Set("is was has does this its as us always thus itself of".split(" "));
const VERBS =
  /^(?:Sets?|Gets?|Returns?|Creates?|Adds?|Removes?|Checks?|Reads?|Writes?|Finds?|Initiali[sz]es?|Updates?|Converts?|Handles?|Frees?|Allocates?)$/;

function sameName(a: string, b: string): boolean {
  const plain = (text: string): string => text.replace(/[_$?!]/g, "").toLowerCase();
  return plain(a) === plain(b) && plain(a) !== "";
}

/** Begins with a capital, as a sentence does, unless it begins with an identifier. */
function capital(sentence: string): string {
  return /^\p{Ll}+(?=[\s,.;:]|$)/u.test(sentence) ? sentence[0]!.toUpperCase() + sentence.slice(1) : sentence;
}

/** Verbs that a copied comment leaves behind on the wrong function. */
const OPPOSITES: ReadonlyMap<string, string> = new Map(
  "get set|add remove|add delete|create delete|create remove|create destroy|insert delete|insert remove|start stop|enable disable|open close|show hide|lock unlock|push pop|read write|load save|activate deactivate|attach detach|connect disconnect|subscribe unsubscribe|register unregister|encode decode|encrypt decrypt|serialize deserialize|pack unpack|increment decrement|increase decrease|acquire release|begin end|expand collapse|mount unmount|install uninstall|select deselect|allocate free"
    .split("|")
    .flatMap((pair) => {
      const [a = "", b = ""] = pair.split(" ");
      return [
        [`${a} ${b}`, pair],
        [`${b} ${a}`, pair],
      ] as const;
    }),
);

/** True where the name begins with a verb and the sentence with its opposite: documentation of another function. */
function contradicts(sentence: string, name: string): boolean {
  const verb = /^_*([a-z]+|[A-Z][a-z]+)(?=[A-Z_\d]|$)/.exec(name)?.[1]?.toLowerCase();
  const said = /^([A-Za-z]+?)(?:e?s)?\s/.exec(sentence)?.[1]?.toLowerCase();
  if (verb === undefined || said === undefined) return false;
  return OPPOSITES.has(`${verb} ${said}`) || OPPOSITES.has(`${verb} ${said}e`);
}

const LICENCE =
  /^\W*(?:copyright\b|\(c\)\s|©|licen[sc]ed? (?:under|to)|spdx-|all rights reserved|this (?:file|program|software|code) is (?:part of|free|licensed|distributed)|permission is hereby)/i;
/** Remarks to developers: they say something about the function, not what it does. */
const NOTE = new RegExp(
  [
    String.raw`^\W*(?:todo|fixme|xxx|hack|bug|note|nb|n\.b\.|warning|caution|attention|important|deprecated|obsolete|@?internal|private|public|protected|experimental|alpha|beta|debug|temporary|temp|tbd|wip|not implemented|unimplemented|unused|not used|not supported|reserved|pre-?condition|assumption|invariant|remark|since|added in|new in|changed in|issue|bug ?fix|regression|workaround)\b\s*(?:\(|:|!|-|\.|,|$|—|v?\d|#)`,
    String.raw`^\W*(?:todo|fixme|xxx|tbd)\b`,
    String.raw`^\W*(?:(?:the )?callers? (?:has|have|must|should|is|are|needs?|may)\b|must (?:be|only|not|hold)\b|should (?:be|only|not)\b|(?:do not|don't|never) (?:use|call|change|remove|forget|rely|touch|try|modify|edit|set|invoke|override|expose)\b|only (?:used|call|for|valid|needed|available|exposed|public|here|to be)\b|requires? (?:that|the caller|holding|lock)|assumes?\b|for (?:internal|testing|debug(?:ging)?|backwards?|legacy)\b|internal use|exposed for|visible for|used (?:by|in|only|internally|for)\b|needed (?:by|for|to|because)\b|required (?:by|for|to)\b|kept for)`,
    String.raw`^this (?:\w+ ){0,3}(?:is|are|was) (?:an? )?(?:internal|deprecated|obsolete|experimental|unused|private|public|only|not|no longer|never|here|necessary|needed|required|hack|workaround|temporary|for internal|part of|intended|meant|kept|provided|exposed|also|safe|the same|similar|overrid\w+|inherited)\b`,
    String.raw`^(?:this|it|that|the (?:method|function|caller|code))(?: (?:method|function|call|one|routine))? (?:doesn'?t|does not|can'?t|cannot|can only|won'?t|will not|isn'?t|needs? to|has to|have to|must|shouldn'?t|should (?:not|only|never|be (?:private|protected|internal|removed|moved|refactored|deprecated)))\b`,
    String.raw`^(?:the|an?|all|any|these) .*\b(?:can only|cannot|can'?t|must|should|must ?n.t|should ?n.t) (?:not |only |never )?(?:be|have|call|use|hold)\b`,
    String.raw`^(?:in|on|under|with|from|as of|for|since|at|due to|according to) (?:versions?|windows|linux|mac|os ?x|osx|unix|posix|java|python|ruby|php|node|ie|chrome|firefox|safari|some|most|many|certain|older|newer|this|that|these|general|order|addition|theory|practice|example|instance|reasons?|details?|more|compatibility|performance|now|here)\b`,
    String.raw`\bfollowing (?:options|parameters|arguments|keys|values|attributes|properties)\b.*:$`,
    String.raw`^this (?:api|member|type|class|interface|file|module|package|struct|constant|variable|field|property) \b`,
    String.raw`^(?:we|i|it'?s|there(?:'s| is| are| was)?|unfortunately|because|since|currently|basically|ok(?:ay)?|well|hmm|yes|no|so|but|and|maybe|perhaps|probably|sorry|oops|why|actually)[ ,]`,
    String.raw`^(?:(?:shamelessly |mostly |largely |partly |originally |directly )?(?:taken|copied|adapted|borrowed|ported|derived|stolen|adopted|lifted|based) (?:from|on|verbatim)|implemented (?:for|to satisfy|because|only)|use (?:me|this|it|the)(?: (?:method|function|one|only))* (?:if|when|only|instead|for|to avoid)|required for|provided (?:for|as|so)|included for|added for|exists (?:for|only|to|so)|kept around|left (?:here|in|for)|moved (?:from|to|here)|see$)\b`,
    String.raw`^(?:thanks|thank you|author|created (?:by|on)|written by|modified by|date|version|file|filename|module|class|package|namespace)\b\s*(?::|by\b|$)`,
  ].join("|"),
  "i",
);
/** Sends the reader elsewhere. */
const POINTER =
  /^\W*(?:see (?!if\b|whether\b|how many\b)|refer to\b|cf\.? |as above|as before|ditto|same as (?!.*\b(?:but|except|with|without)\b)|identical to (?!.*\b(?:but|except)\b)|overrid(?:es?|den|ing)\b(?: (?:by|from|in|method|of|the parent|parent|super\w*|base|default)\b| [\w.#:$]+(?:\(\))?\.?$)|inherit(?:s|ed)\b|documented (?:in|at|by|elsewhere)|described (?:in|at|by|elsewhere)|implementation of (?:the )?[\w.#:$<>]+(?:\(.*\))?(?: (?:method|interface|function|from .*))?\.?$|implements? (?:the )?[\w.#:$<>]+\(?\)?(?: (?:method|interface|for \w+|from \w+))?\.?$|delegates? to [\w.#:$]+(?:\(\))?\.?$|alias (?:for|of|to)\b|synonym (?:for|of)\b|(?:wrapper|proxy|shortcut|shorthand|helper) (?:for|of|to|around|method for) [\w.#:$]+(?:\(\))?\.?$)/i;
/** Describes several functions, or what follows in the file. */
const GROUP =
  /^(?:these|those|the (?:following|next|above|rest|below)|some|various|several|a (?:set|bunch|number|collection|couple|few)|misc\w*|other)\b(?: \w+){0,3}? (?:functions|methods|routines|helpers|callbacks|utilities|handlers|macros|wrappers|tests|operations|procedures|definitions|constants|variables|classes)\b|^(?:\w+ ){0,3}(?:functions|methods|routines|helpers|callbacks|accessors|getters|setters|utilities|prototypes|declarations|definitions|macros|globals|operators|constructors|properties|overrides|implementations|members)(?:\.|:|$| (?:for|to|that|used|which|below|and \w+)\b)|^\w+\(?\)?, (?:\w+\(?\)?, )*(?:and |or )?\w+\(?\)? (?:are|implement|do|have|provide|handle|all)\b|^\w+\(?\)? and \w+\(?\)? (?:are|implement|do|have|provide)\b/i;
const TEMPLATED = new RegExp(
  [
    String.raw`\bauto-?\s?generated\b|\bautomatically generated (?:by|from|with|code|method|function|file)|^(?:\w+ ){0,3}generated (?:by|from|with|code|method|function)\b|do not (?:edit|modify)`,
    String.raw`^(?:this is )?(?:the |a |an )?(?:(?:default|empty|no-?arg(?:ument)?s?|class|private|public|protected|main|copy|basic|simple|standard|static|package|internal|hidden|full|new|instance|object|parameter(?:less|ized)?|convenience|explicit|minimal) )*(?:constructor|destructor|ctor|dtor|c'tor|getter|setter|accessor|mutator|callback|test|main|main method|(?:main )?entry point|initiali[sz]er|finali[sz]er|dispose|factory|unit test|test case|(?:get|set)(?:ter|ters) ?/ ?(?:get|set)(?:ter|ters))(?: method| function)?(?: (?:for|of|to) (?:the |this |a |an |our )?[\w.<>#]+(?: class| object| type| instance| property| field| application| program)?)?\.?$`,
    String.raw`^[\w.$\\:]+ (?:constructor|destructor|getter|setter)(?: (?:method|function))?\.?$`,
    String.raw`^(?:public |protected |internal )?(?:dispose|constructor|destructor|finali[sz]er) (?:method|function|implementation)\b`,
    String.raw`^(?:(?:short |long |brief |method |function |class |the |a |insert |enter |add |your )*(?:description|summary|docstring|documentation|method|function|comment|placeholder|text)|missing (?:documentation|description)|no (?:documentation|description)|undocumented|document (?:me|this)|lorem ipsum|todo|foo|bar)\b[\s.:]*(?:here|goes here|of (?:the )?(?:method|function|\w+)|for (?:the |this )?(?:method|function|\w+)|to follow|missing|needed)?\.?$`,
    String.raw`^(?:creates?|constructs?|initiali[sz]es?|instantiates?|builds?|makes?|sets up|allocates?) (?:an? |the )?(?:new |empty |default )*(?:instances?|objects?)(?: of (?:the |an? |this )?[\w.<>,\x60]+(?: (?:class|struct|type|object))?)?\.?$`,
    String.raw`^(?:creates?|constructs?|initiali[sz]es?|instantiates?) (?:an? |the )?(?:new |empty |default )*(?:instance of )?(?:the )?(?:[A-Z][\w.<>]*|this|class|object|instance)(?: (?:class|struct|object|instance|type))?\.?$`,
    String.raw`^(?:gets|sets|gets or sets|returns|get|set|return) (?:or sets )?(?:the )?(?:value|values) (?:of|for) (?:the )?(?:['"\w.]+)(?: (?:field|property|attribute|variable|column|member))?\.?$`,
    String.raw`^(?:getter|setter|accessor|mutator)\b|^get/set\b`,
    String.raw`\bhelp in this method\b|infrastructure and (?:is )?not (?:subject|intended)|^(?:see|equivalent to|shortcut (?:to|for)) (?:the )?[\w.#:()$<>]+(?: (?:method|interface|function|class))?\.?$`,
    String.raw`^(?:test|tests|testing|example|examples|demo|sample|usage|unit tests?|description|overview|introduction|background|purpose|summary|arguments|parameters|helper|helpers|wrapper|utility|callback|event handler|private method|internal method|internal function|internal helper|helper (?:function|method|routine)|utility (?:function|method))(?: (?:function|method))?[.:]?$`,
    String.raw`^required (?:method )?for designer support|^clean up any resources being used|^(?:required )?designer variable|^(?:perform|performs) application-defined tasks|^(?:run|reverse) the migrations?\.?$|^(?:bootstrap|register) (?:any |the )?application services\.?$|^(?:execute|handle) the (?:console command|event|job)\.?$`,
  ].join("|"),
  "i",
);

/** A production of a grammar, as parser generators keep in docstrings: `expr : expr PLUS term | term`. */
const GRAMMAR =
  /::=|^\S+ (?:[<>=!]=|=|<|>|\+|\*|\|\|?|&&) \S|^\w+ = \S|^[\w.]+(?:\([^)]*\))? -> |^\w+ *(?:::?=|->|:) *\S+(?: +\S+)* *\||^[a-z_]\w* : (?:[A-Za-z_]\w* ?)+$/;

/** Mostly words: not commented-out code, a rule of dashes, a grammar production or a table. */
function isProse(sentence: string): boolean {
  const visible = sentence.replace(/\s/g, "");
  const letters = visible.match(/\p{L}/gu)?.length ?? 0;
  if (letters < 0.5 * visible.length) return false;
  if (
    /[;{}]$|^(?:if|for|while|var|let|const|return|function|def|public|private|static|int|void|#?include|import)\b.*[;{(=]|^\w+(?:\.\w+)*\([^)]*\)[;.]?$|\);|=> ?[{(]/.test(
      sentence,
    )
  )
    return false;
  return (sentence.match(/\p{L}{2,}/gu)?.length ?? 0) >= 2;
}
