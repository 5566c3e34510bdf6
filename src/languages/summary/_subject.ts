import type { Language } from "../../base/index.js";

/** Without a first line that is only the function's name, as PostgreSQL has it. */
export function withoutNameLine(text: string, name: string | undefined): string {
  const line = /^\s*[`'"*]*([\w$]+)(?:[ \t]*\([^()\n]*\))?[`'"*]*[ \t]*(?:--?|:)?[ \t]*\n/.exec(text);
  return line !== null && name !== undefined && sameName(line[1]!, name) ? text.slice(line[0].length) : text;
}

/** Without a title before the description: `name - does this`, `name(): does this`. */
export function withoutTitle(paragraph: string, name: string | undefined): string {
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
 * stays where the rest is no sentence: `Area is called by draw`, `Put the object`, and where it is the sentence's verb:
 * `Commit changes of all parts`.
 */
export function withoutName(sentence: string, name: string | undefined, language: Language): string {
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
  if (!marked(subject) && isNoun(verb, rest, name, language)) return sentence;
  // `Node Returns` needs a capital that the name itself cannot explain: `Set Cookie`.
  if (/^[A-Z]/.test(verb) && !VERBS.test(verb)) return sentence;
  return capital(rest);
}

/** True where marks or words tell that the name is meant and not a word of the sentence: `commit()`, `the Area method`. */
function marked(subject: RegExpExecArray): boolean {
  return (
    subject[1] !== "" ||
    /^[`'"*]|[()]|\s(?:method|function)\s/i.test(subject[0]) ||
    !/^_*[A-Z]?[a-z]+$/.test(subject[2]!)
  );
}

/**
 * True where a word in -s after a name that is a plain word (`report`) is rather a noun than what the function does:
 * `Report exceptions that ...`. Go's documentation opens with names, so there only a few nouns count; elsewhere the word
 * must be a verb of the list, the name's own (`Sort sorts`), or go before an article.
 */
function isNoun(word: string, rest: string, name: string, language: Language): boolean {
  if (language === "go") return PLURALS.test(word);
  const stem = name
    .replace(/[_$?!]/g, "")
    .toLowerCase()
    .replace(/e$/, "");
  if (THIRD_PERSON.has(word.toLowerCase()) || word.toLowerCase().startsWith(stem)) return false;
  return !/^\S+ (?:the|an?|this|these|whether|if|its|all|each|every)\b/i.test(rest);
}

const PLURALS = /^(?:bytes|values|items|elements|entries|keys|files|lines|rows|options|objects|fields|nodes)$/i;
const THIRD_PERSON: ReadonlySet<string> = new Set(
  "returns creates implements adds removes writes performs computes specifies initializes initialises runs makes converts deletes parses retrieves waits generates sends appends takes indicates gets prints executes validates encodes decodes applies opens constructs emits wraps calculates resets releases registers accepts clears moves looks provides allows compares corresponds tries covers determines handles finds fetches loads saves stores invokes draws renders inserts replaces extracts restores prepares builds joins allocates frees configures copies".split(
    " ",
  ),
);

/** `This function will check ...`, `Will check ...`, `This method can be used to check ...`. */
const FUTURE =
  /^(?:(?:this|the) (?:function|method|routine|helper) (?:(?:can|may) be used to|is used to|allows (?:you|one|us|the user|users|callers|the caller) to) |(?:(?:this|the) (?:function|method|routine|procedure|call|macro|helper) |this |it )?will (?:also |then |simply |try to |attempt to )?)(?=[a-z]+\b)(?!be\b|not\b|only\b|have\b|never\b|always\b|also\b|then\b|simply\b|by\b|contain\b|cause\b|result\b|work\b|take\b|fail\b|throw\b|happen\b)/i;

const NO_VERBS: ReadonlySet<string> = new Set("is was has does this its as us always thus itself of".split(" "));
const VERBS =
  /^(?:Sets?|Gets?|Returns?|Creates?|Adds?|Removes?|Checks?|Reads?|Writes?|Finds?|Initiali[sz]es?|Updates?|Converts?|Handles?|Frees?|Allocates?)$/;

function sameName(a: string, b: string): boolean {
  const plain = (text: string): string => text.replace(/[_$?!]/g, "").toLowerCase();
  return plain(a) === plain(b) && plain(a) !== "";
}

/** Begins with a capital, as a sentence does, unless it begins with an identifier. */
export function capital(sentence: string): string {
  return /^\p{Ll}+(?=[\s,.;:]|$)/u.test(sentence) ? sentence[0]!.toUpperCase() + sentence.slice(1) : sentence;
}

/**
 * True for JavaScript's functions that are classes, by their capital, where a thing is described and not what the function
 * does: `A widget for finding addresses.` above a constructor.
 */
export function describesClass(sentence: string, name: string, language: Language): boolean {
  return (
    language === "javascript" &&
    /^_*[A-Z]+[a-z]/.test(name) &&
    /^(?:an?|the) (?!(?:[\w-]+ ){0,2}(?:function|method|hook|component|decorator|callback|constructor|factory)\b)/i.test(
      sentence,
    )
  );
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
export function contradicts(sentence: string, name: string): boolean {
  const verb = /^_*([a-z]+|[A-Z][a-z]+)(?=[A-Z_\d]|$)/.exec(name)?.[1]?.toLowerCase();
  const said = /^([A-Za-z]+?)(?:e?s)?\s/.exec(sentence)?.[1]?.toLowerCase();
  if (verb === undefined || said === undefined) return false;
  return OPPOSITES.has(`${verb} ${said}`) || OPPOSITES.has(`${verb} ${said}e`);
}
