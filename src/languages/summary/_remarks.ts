import { asideKind } from "./_asides.js";

/** Why a text is no summary of a function. Each rule was met in real code; tests name an example of each. */
export type RemarkKind = "note" | "inherited" | "templated" | "group";

/** What kind of remark a sentence is, undefined where it may describe a function. */
export function remarkKind(sentence: string): RemarkKind | undefined {
  if (POINTER.test(sentence) || INTERFACE.test(sentence)) return "inherited";
  if (isNote(sentence)) return "note";
  if (TEMPLATED.test(sentence)) return "templated";
  const aside = asideKind(sentence);
  if (aside !== undefined) return aside;
  return GROUP.test(sentence) ? "group" : undefined;
}

/** True for what is said to developers about the function: it does not say what the function does. */
export function isNote(text: string): boolean {
  return NOTE.test(text);
}

/** True for the terms that a text may be used under. */
export function isLicence(text: string): boolean {
  return LICENCE.test(text);
}

const LICENCE =
  /^\W*(?:copyright\b|\(c\)\s|©|licen[sc]ed? (?:under|to)|spdx-|all rights reserved|this (?:file|program|software|code) is (?:part of|free|licensed|distributed)|permission is hereby)/i;
/** Remarks to developers: they say something about the function, not what it does. */
const NOTE = new RegExp(
  [
    String.raw`^[^.]*\b(?:logic|work|code|magic|processing) (?:\w+ )?(?:lives|happens|takes place|resides|is done) (?:here|in here|in this)\b|^(?:callback|hook|handler|method|function) to (?:invoke|call|be (?:called|invoked)) (?:when|once|after|before|if|by)\b`,
    String.raw`^\W*(?:todo|fixme|xxx|hack|bug|note|nb|n\.b\.|warning|caution|attention|important|deprecated|obsolete|@?internal|private|public|protected|experimental|alpha|beta|debug|temporary|temp|tbd|wip|not implemented|unimplemented|unused|not used|not supported|reserved|pre-?condition|assumption|invariant|remark|since|added in|new in|changed in|issue|safety|locking|context|payload|rationale|bug ?fix|regression|workaround)\b\s*(?:\(|:|!|-|\.|,|$|—|v?\d|#)`,
    String.raw`^\W*(?:todo|fixme|xxx|tbd)\b`,
    String.raw`^\W*(?:(?:the )?callers? (?:has|have|must|should|is|are|needs?|may)\b|must (?:be|only|not|hold)\b|should (?:be|only|not)\b|(?:do not|don't|never) (?:use|call|change|remove|forget|rely|touch|try|modify|edit|set|invoke|override|expose)\b|only (?:used|call|for|valid|needed|available|exposed|public|here|to be)\b|requires? (?:that|the caller|holding|lock)|assumes?\b|for (?:internal|testing|debug(?:ging)?|backwards?|legacy)\b|internal use|exposed for|visible for|used (?:by|in|only|internally|for)\b|needed (?:by|for|to|because)\b|required (?:by|for|to)\b|kept for)`,
    String.raw`^this (?:\w+ ){0,3}(?:is|are|was) (?:an? )?(?:internal|deprecated|obsolete|experimental|unused|private|public|only|not|no longer|never|here|necessary|needed|required|hack|workaround|placeholder|stub|no-?op|temporary|for internal|part of|intended|meant|kept|provided|exposed|also|safe|the same|similar|overrid\w+|inherited)\b`,
    String.raw`^(?:this|it|that|the (?:method|function|caller|code))(?: (?:method|function|call|one|routine))? (?:doesn'?t|does not|can'?t|cannot|can only|won'?t|will not|isn'?t|needs? to|has to|have to|must|shouldn'?t|should (?:not|only|never|be (?:private|protected|internal|removed|moved|refactored|deprecated)))\b`,
    String.raw`^(?:the|an?|all|any|these) .*\b(?:can only|cannot|can'?t|must|should|must ?n.t|should ?n.t) (?:not |only |never )?(?:be|have|call|use|hold)\b`,
    String.raw`^(?:in|on|under|with|from|as of|for|since|at|due to|according to) (?:versions?|windows|linux|mac|os ?x|osx|unix|posix|java|python|ruby|php|node|ie|chrome|firefox|safari|some|most|many|certain|older|newer|this|that|these|general|order|addition|theory|practice|example|instance|reasons?|details?|more|compatibility|performance|now|here)\b`,
    String.raw`\bfollowing (?:options|parameters|arguments|keys|values|attributes|properties)\b.*:$`,
    String.raw`^(?:the )?(?:\w+ )?(?:locks?|mutex|semaphore) (?:must|should|is|are|does|held|needs?)\b|\b(?:lock|mutex)(?: \w+)? (?:must|should|is assumed to|needs to) be held\b|\bis (?:about|going) to be\b`,
    String.raw`^this (?:\w+ )?(?:exists|is here|was (?:added|created|introduced|moved|written|copied)|had to|used to)\b`,
    String.raw`^only\b|^to be (?:called|used|invoked|run|overridden)\b|^(?:this|it|that) is (?:just|the fallback|a fallback|cleaner|easier|safer|faster|simpler|because|what|where|how|why|to|in case|so)\b`,
    String.raw`^this (?:api|member|type|class|interface|file|module|package|struct|constant|variable|field|property) \b`,
    String.raw`^(?:not|need|needs|needed|doing|we|i|it'?s|there(?:'s| is| are| was)?|unfortunately|because|since|currently|basically|ok(?:ay)?|well|hmm|yes|no|so|but|and|maybe|perhaps|probably|sorry|oops|why|actually)[ ,]`,
    String.raw`^(?:(?:shamelessly |mostly |largely |partly |originally |directly )?(?:taken|copied|adapted|borrowed|ported|derived|stolen|adopted|lifted|based) (?:from|on|verbatim)|implemented (?:for|to satisfy|because|only)|(?:meant|intended|reserved|designed|only meant) (?:for|to)|placeholder|use (?:me|this|it|the)(?: (?:method|function|one|only))* (?:if|when|only|instead|for|to avoid)|required for|provided (?:for|as|so)|included for|added for|exists (?:for|only|to|so)|kept around|left (?:here|in|for)|moved (?:from|to|here)|see$)\b`,
    // Who calls it and when, unless that says what for.
    String.raw`^(?:(?:this|the) (?:function|routine|method|callback|one) (?:is |gets )?)?called (?:only )?(?:from|by|in|via)\b(?!.*\b(?:to [a-z]{2}|which|and (?!\w+$)))|^\((?:called|copied|taken|used|formerly|quote)\b|^(?:may|can|might) be (?:overrid|overload|called)\w*\b(?!.* to [a-z]+ )`,
    String.raw`^(?:this|it)(?: (?:method|function|routine|call|one))? (?:is )?(?:currently|presently)\b|^this is (?:run|called|invoked|executed|used) (?:in|from|by|when|with|at|on)\b(?!.* to [a-z]+ )|^legacy (?:function|method|entry point|version) for\b`,
    String.raw`^(?:this|the) (?:\w+ )?constructor (?:which |that )?(?:takes?|accepts?|is (?:used|called|needed|invoked) (?:by|when|for|in|from|primarily|only))\b(?!.* and \w+s (?:the|an?|it|its|to|all)\b)`,
    String.raw`^(?:thanks|thank you|author|created (?:by|on)|written by|modified by|date|version|file|filename|module|class|package|namespace)\b\s*(?::|by\b|$)`,
  ].join("|"),
  "i",
);
/** Sends the reader elsewhere. */
const POINTER =
  /^\W*(?:(?:defined|declared) (?:by|in) (?:the )?[\w.#:$\\<>]+(?: (?:interface|class|method))?\.?$|(?:(?:the|an?) )?(?:(?:actual|real|core|common|shared|internal|default|concrete|abstract|base|generic) )+(?:implementation (?:of|for) (?:the )?[\w.#:$<>]+(?:\(\))?(?: (?:method|function|interface))?(?: for [\w.:$]+)?|method implementation)\.?$|see (?!if\b|whether\b|how many\b)|refer to\b|cf\.? |as above|as before|ditto|same as (?!.*\b(?:but|except|with|without)\b)|identical to (?!.*\b(?:but|except)\b)|overrid(?:es?|den|ing)\b(?: (?:by|from|in|method|of|the parent|parent|super\w*|base|default)\b| [\w.#:$]+(?:\(\))?\.?$)|inherit(?:s|ed)\b|documented (?:in|at|by|elsewhere)|described (?:in|at|by|elsewhere)|implementation of (?:the )?[\w.#:$<>]+(?:\(.*\))?(?: (?:method|interface|function|from .*))?\.?$|implements? (?:the )?[\w.#:$<>]+\(?\)?(?: (?:method|interface|for \w+|from \w+))?\.?$|delegates? to [\w.#:$]+(?:\(\))?\.?$|alias (?:for|of|to)\b|synonym (?:for|of)\b|(?:wrapper|proxy|shortcut|shorthand|helper)(?: (?:method|function|routine))? (?:for|of|to|around) [\w.#:$]+(?:\(\))?\.?$)/i;
/** Only names the type of callback that the function is: `This implements svn_write_fn_t.`, `An svn_delta_editor_t function.` */
const INTERFACE =
  /^(?:(?:this|it)(?: function)? implements (?:the )?|(?:this is )?(?:an? )?(?:implementation|callback|function|handler) (?:of type|of|for) |implements |an? |the )?['`"#]?\w+_t\d?(?:(?:\.|::|->)\w+)?(?:\(\))?['`"]?(?: (?:api|interface|callback|function|implementation|method|vtable))*\.?$/i;
/** Describes several functions, a class, or what follows in the file. */
const GROUP =
  /^(?:an? )?(?:(?:abstract|base|utility|helper|private|internal|common|simple|generic|mixin|main|wrapper|specialized|builder|convenience) )*class (?:that|which|for|to|representing|defining|describing|encapsulating|holding|providing|implementing|wrapping|handling|managing|used)\b|^(?:these|those|the (?:following|next|above|rest|below)|some|various|several|a (?:set|bunch|number|collection|couple|few)|misc\w*|other)\b(?: \w+){0,3}? (?:functions|methods|routines|helpers|callbacks|utilities|handlers|macros|wrappers|tests|operations|procedures|definitions|constants|variables|classes)\b|^(?:\w+ ){0,3}(?:functions|methods|routines|helpers|callbacks|accessors|getters|setters|utilities|prototypes|declarations|definitions|macros|globals|operators|constructors|properties|overrides|implementations|members)(?:\.|:|$| (?:for|to|that|used|which|below|and \w+)\b)|^\w+\(?\)?(?:, \w+\(?\)?)*,? (?:and|or) \w+\(?\)? (?:are|implement|do|have|provide|handle|all)\b/i;
const TEMPLATED = new RegExp(
  [
    String.raw`\bauto-?\s?generated\b|\bautomatically generated (?:by|from|with|code|method|function|file)|^(?:\w+ ){0,3}generated (?:by|from|with|code|method|function)\b|do not (?:edit|modify)`,
    String.raw`^(?:this is )?(?:the |a |an )?(?:(?:default|empty|no-?arg(?:ument)?s?|class|private|public|protected|main|copy|basic|simple|standard|static|package|internal|hidden|full|new|instance|object|parameter(?:less|ized)?|convenience|explicit|minimal) )*(?:constructor|destructor|ctor|dtor|c'tor|getter|setter|accessor|mutator|callback|test|main|main method|(?:main )?entry point|initiali[sz]er|finali[sz]er|dispose|factory|unit test|test case|(?:get|set)(?:ter|ters) ?/ ?(?:get|set)(?:ter|ters))(?: method| function)?(?: (?:for|of|to) (?:the |this |a |an |our )?[\w.<>#]+(?: class| object| type| instance| property| field| application| program)?)?\.?$`,
    String.raw`^(?:this is )?(?:the |a )?(?:(?:main|private|default|common|simple|basic) )?constructor (?:for|of) (?:the |an? )?\w+ (?:event ?args|library|protocol|node|exception|attribute)\.?$`,
    String.raw`^[\w.$\\:]+ (?:constructor|destructor|getter|setter)(?: (?:method|function))?\.?$`,
    String.raw`^(?:public |protected |internal )?(?:dispose|constructor|destructor|finali[sz]er) (?:method|function|implementation)\b`,
    String.raw`^(?:(?:short |long |brief |method |function |class |the |a |insert |enter |add |your )*(?:description|summary|docstring|documentation|method|function|comment|placeholder|text)|missing (?:documentation|description)|no (?:documentation|description)|undocumented|document (?:me|this)|lorem ipsum|todo|foo|bar)\b[\s.:]*(?:here|goes here|of (?:the )?(?:method|function|\w+)|for (?:the |this )?(?:method|function|\w+)|to follow|missing|needed)?\.?$`,
    String.raw`^(?:creates?|constructs?|initiali[sz]es?|instantiates?|builds?|makes?|sets up|allocates?) (?:an? |the )?(?:new |empty |default )*(?:instances?|objects?)(?: of (?:the |an? |this )?[\w.<>,\x60]+(?: (?:class|struct|type|object))?)?\.?$`,
    String.raw`^(?:creates?|constructs?|initiali[sz]es?|instantiates?) (?:an? |the )?(?:new |empty |default )*(?:instance of )?(?:the )?(?:[A-Z][\w.<>]*|this|class|object|instance)(?: (?:class|struct|object|instance|type))?\.?$`,
    String.raw`^(?:gets|sets|gets or sets|returns|get|set|return) (?:or sets )?(?:the )?(?:value|values) (?:of|for) (?:the )?(?:['"\w.]+)(?: (?:field|property|attribute|variable|column|member))?\.?$`,
    String.raw`^(?:getter|setter|accessor|mutator)\b|^get/set\b`,
    String.raw`\bhelp in this method\b|infrastructure and (?:is )?not (?:subject|intended)|^(?:see|equivalent to|shortcut (?:to|for)) (?:the )?[\w.#:()$<>]+(?: (?:method|interface|function|class))?\.?$`,
    String.raw`^(?:test|tests|testing|example|examples|demo|sample|usage|unit tests?|description|overview|introduction|background|purpose|summary|arguments|parameters|helper|helpers|wrapper|utility|callback|event handler|private method|internal method|internal function|internal helper|helper (?:function|method|routine)|utility (?:function|method))(?: (?:function|method))?[.:]?$`,
    String.raw`^(?:the )?(?:program |application |app )?main (?:program |application )?(?:entry(?: point)?|function|program|routine)\b`,
    String.raw`^(?:(?:regression|unit|simple) )?tests? (?:case )?(?:for |of |against )?(?:the )?(?:fix for )?(?:github |gh[ -])?(?:issues?|bugs?|tickets?|prs?|regressions?|#)\W*[\w/.-]*\d+(?:\W*$|,)`,
    String.raw`^required (?:method )?for designer support|^clean up any resources being used|^(?:required )?designer variable|^(?:perform|performs) application-defined tasks|^(?:run|reverse) the migrations?\.?$|^(?:bootstrap|register) (?:any |the )?application services\.?$|^(?:execute|handle) the (?:console command|event|job)\.?$`,
  ].join("|"),
  "i",
);
