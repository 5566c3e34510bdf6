import { isVerb } from "./_verbs.js";

/** Why a sentence, though English prose, does not say what a function does. */
export const WEAKNESSES = ["broken", "no-verb", "no-deed"] as const;
export type Weakness = (typeof WEAKNESSES)[number];

/**
 * What keeps a summary from being a description of a whole function: it was cut or has holes (`broken`), does not open
 * with what is done (`no-verb`), or opens with a verb and yet tells a reason, a route or what is taken (`no-deed`).
 *
 * @example
 * weakness("The URL to go to after the user has left.") // "no-verb"
 * weakness("Gets the of the table.")                    // "broken"
 * weakness("Finds the first row that has the key.")     // undefined
 */
export function weakness(sentence: string): Weakness | undefined {
  if (isBroken(sentence)) return "broken";
  if (!saysWhatItDoes(sentence)) return "no-verb";
  return isNoDeed(sentence) ? "no-deed" : undefined;
}

/**
 * True where a sentence says what a function does: it opens with a verb (`Finds the row`, `Asynchronously find`), or
 * with words that lead to one (`This method finds`, `Helper to find`, `Given a key, finds`), or asks what a test
 * answers (`Whether the list is empty`). What does not is mostly a title, a remark, a parameter or a property.
 */
export function saysWhatItDoes(sentence: string): boolean {
  const text = sentence.replace(LEAD, "").replace(ADVERBS, "");
  if (/^(?:whether|true if+|true when|check(?:s|ing)? )\b/i.test(text)) return true;
  if (opens(text)) return true;
  if (/^(?:if|when)\b[^]*\b(?:otherwise|else|if not)\b/i.test(text)) return true;
  const led = LEADS.exec(text);
  if (led !== null) return opens(text.slice(led[0].length).replace(ADVERBS, ""));
  const given = /^(?:given|for (?:each|every|all)|from) [^.]{3,120}?,\s+(?:and |then )?/i.exec(text);
  return (
    given !== null &&
    opens(
      text
        .slice(given[0].length)
        .replace(/^(?:it|this|this \w+|we) (?=\w+s )/i, "")
        .replace(ADVERBS, ""),
    )
  );
}

const LEAD = /^`+/;
const ADVERBS =
  /^(?:(?:(?!(?:apply|multiply|supply|reply|rely|imply|assembly|family|only|reassembly)\b)[a-z]{3,}ly|also|then|just|first|always|async|in-place|and),? )+/i;

/**
 * Subjects and names of a function that a verb may follow: `This method finds`, `Helper function to find`, `A function
 * that finds`, `This is a helper to find`.
 */
const LEADS =
  /^(?:(?:(?:this|the|that) (?:\w+ ){0,2}?(?:function|method|routine|procedure|helper|call|operation|command|hook|decorator|callback|handler|constructor|test|task|action|utility|wrapper|version|overload)|this|it)(?: can be used to| is used to| will| shall)? (?!is\b|are\b)|(?:(?:this|it) is )?(?:an?|the )? ?(?:[\w-]+ ){0,2}?(?:function|method|routine|procedure|helper|utility|hook|decorator|callback|handler|factory|constructor|wrapper|shortcut|shorthand|generator|command|task|step|operation|context manager|coroutine)(?: (?:function|method|routine))?(?: used)? (?:to|that(?: will| can)?|which(?: will| can)?|for(?= [a-z]{2,}ing\b)) )(?:(?:also|then|only|just|simply|automatically|recursively|will|[a-z]{3,}ly) )?/i;

/** Opens with a verb that is no noun there: `Set the value`, not `Set of values`. */
function opens(text: string): boolean {
  const word = /^[A-Za-z]+(?:-[a-z]+)?/.exec(text)?.[0];
  // `SHOW VARIABLES` is a statement of another language.
  if (word === undefined || /^[A-Z]{2,}$/.test(word)) return false;
  const rest = text.slice(word.length);
  if (/^looks?$/i.test(word)) return /^ (?:up|for|through|in|into|at|the|an?)\b/i.test(rest);
  if (/^uses$/i.test(word)) return /\bto [a-z]+ /.test(rest);
  if (!isVerb(word)) return /^[a-z]{2,}ing$/.test(word) && isVerb(base(word));
  if (/^\//.test(rest)) return isVerb(/^\/(\w+)/.exec(rest)?.[1] ?? "");
  if (/^disposes?$/i.test(word)) return true;
  if (/^ (?:of|is|are|was|were|has|have|been)\b|^[:.]|^'s\b|^$/.test(rest)) return false;
  return !NOUNS.test(word) || AFTER_VERB.test(rest);
}

/** `determining` -> `determin` would be no verb: the forms that a gerund may come from. */
function base(gerund: string): string {
  const stem = gerund.slice(0, -3);
  if (isVerb(`${stem}e`)) return `${stem}e`;
  return /([b-df-hj-np-tv-z])\1$/.test(stem) && !isVerb(stem) ? stem.slice(0, -1) : stem;
}

/** Verbs that are nouns as often; then a determiner or a particle must follow: `Test whether`, not `Test helper`. */
const NOUNS =
  /^(?:access|array|batch|block|cache|call|command|control|count|data|display|end|event|exchange|exit|factor|filter|force|form|function|hash|hook|host|index|input|interface|interrupt|issue|label|log|main|map|mask|mirror|mock|name|number|object|offset|order|output|page|patch|path|pattern|place|plan|point|position|profile|project|query|range|rank|rate|record|reference|request|route|sample|scale|score|search|segment|service|setup|shape|sort|stack|stage|state|stream|stub|sum|support|switch|tag|task|template|test|tile|time|transfer|trigger|type|value|view|wire|worker|zero)$/i;
const AFTER_VERB =
  /^,? (?:the|an?|this|that|these|those|all|each|every|any|some|its?|their|our|your|one|two|both|another|if|whether|for|to|that|how|when|where|what|which|given|new|out|up|down|in|on|into|from|with|by|through|over|and|or|as|at|only|no|not|more|multiple|current|specified|existing|\w+s|[A-Z\d]\S*|`\S+|\w+[_.(]\S*|\w+ (?:for|from|to|in|on|with|by|of|at|into|and|or|as|using|that|the|a|an))\b/;

/** True where a sentence was cut off or has holes where marks were: `Gets the of the .`, `Returns ($x is null?`. */
export function isBroken(sentence: string): boolean {
  const opened = sentence.match(/\((?![^()]*\))/g)?.length ?? 0;
  return opened > 0 || DANGLING.test(sentence) || HOLES.test(sentence) || LISTLESS.test(sentence);
}
const DANGLING =
  /(?:\.\.\.|…|[,(\-–—+=])$|\b(?:the|and|or|which|iff?|when|e\.g|i\.e|eg|ie|etc,|because|their|whose|than)[.:]?$|\b(?:with|by|from)$/i;
const HOLES =
  /,,|\b(?:the|an) (?:of|to|is|are|and|or|from|with|by|for|as|the|an?)\b(?![-/'])|\bof (?:of|from|with|by|is|are|and)\b|\b(?:the|an|of|to|with|for|by) [,.;)](?:\s|$)|(?<![\w)\]>"'])\(\s*[,.]?\s*\)/;
/** A list was announced and is not there. */
const LISTLESS =
  /\b(?:following|these|conditions|(?:is|are) true|either of|one of|rules|steps|cases|criteria)(?: [\w-]+){0,4}:$|\b(?:is|are|in|with) the following(?: \w+)?[.:]?$|\bas follows:?$/i;

/** True for what is no description though it opens with a verb: routes, verbs of taking alone, reasons. */
export function isNoDeed(sentence: string): boolean {
  return NO_DEED.test(sentence) || (TAKES.test(sentence) && !GOES_ON.test(sentence));
}
const NO_DEED =
  /^(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) +[/:{[]|^(?:code|text|algorithm|function|method|implementation) (?:adapted|taken|copied|borrowed|based)\b|\bfor (?:\w+ )?(?:(?:backwards?|forwards?|api|legacy|binary) ?-?compatib|bc\b|historical reasons)|\bin favou?r of\b|^(?:\w+, )+\w+ (?:and \w+ )?(?:is|are) |\b(?:does|do) nothing\b|^(?:force|prevent|make|keep|let|ensure|expect)s? [^.]{0,60}\bso that (?:we|you|the (?:user|caller))\b|^returns provides\b|^(?:call|invoke|run) this\b|^returns? (?:-?\d+|true|false|zero|non-?zero|null|ok|success|(?:an )?error|[A-Z]\w*_\w+) (?:on|for|upon|in case of|and) (?:success|failure|errors?|ok)\b/i;
const TAKES = /^(?:takes?|accepts?|expects?|receives?)\b/i;
const GOES_ON =
  /(?:\b(?:and|then|which)|,) (?:\w+ly )?(?:\w+s|return\w*|[a-z]+)\b|\bto [a-z]+ |^(?:takes? (?:a |the )?(?:down|out|off|over|snapshot|care|picture|screenshot|first|next|last))|^accepts? (?:the|an?) (?:\w+ ){0,2}(?:connection|invitation|request|input|offer|suggestion|client)/i;
