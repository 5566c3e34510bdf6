/** What is said about a function in place of what it does: when it is called, advice to its users, templates. */
export type AsideKind = "note" | "templated";

/** What kind of aside a sentence is; undefined where it may describe a function. */
export function asideKind(sentence: string): AsideKind | undefined {
  if (NEW_INSTANCE.test(sentence)) return "templated";
  if (ADVICE.test(sentence)) return "note";
  return (CALLED.test(sentence) || USED.test(sentence)) && !PURPOSE.test(sentence) ? "note" : undefined;
}

/** True for the head of a list, an example or a formula that was cut off where it says nothing alone: `Returns true if:`. */
export function isCut(sentence: string): boolean {
  return /(?:^|\s)(?:if|iff|when|and|or|to|is|are|by|with|the|an?|will|either|of|returns|for|in|as|from|that|using|be|because|unless|where|e\.g\.|i\.e\.),?:$/.test(
    sentence,
  );
}

/** Generated constructors say this and nothing else. */
const NEW_INSTANCE =
  /^(?:creates? and )?returns? an? new (?:[\w.]+ (?:instance|object|struct)|(?:instance|object|struct) of (?:the |an? )?[\w.]+)(?: (?:class|struct|type|object|instance))?\.?$/i;

/** To whoever calls or overrides it. */
const ADVICE =
  /^you\b|^it is (?:(?:not|implicitly|very|highly|strongly) )?(?:best|better|recommended|possible|important|assumed|safe|unsafe|allowed|sufficient|necessary|unfortunate|valid|up to)\b|^\w+ valid (?:options|values) (?:is|are)\b/i;

/** Who calls it, or when: `Focus is invoked by the application`, `Called when a file goes away`. Not what it does. */
const CALLED =
  /^(?:(?:this|it|the)(?: \w+)? (?:(?:is|gets) |will be )|[\w.$:#]+(?:\(\))? (?:(?:is|gets) |will be ))?(?:(?:automatically|only|usually|always) )?(?:called|invoked|triggered|fired|executed) (?:(?:automatically|internally|directly|immediately|right|just|only) )?(?:by|from|in|internally|for|with|as|when|whenever|if|on|after|before|once|upon|each|every)\b/i;
const USED =
  /^[\w.$:#]+(?:\(\))? is (?:(?:only|just|mainly|mostly|primarily|also|currently|typically|usually) )*used (?:by|in|internally|when|during|from|for (?:tests?|testing|debugging|internal)\b)/i;

/** Where more follows than the occasion, it may say what the function does. */
const PURPOSE =
  /\bto (?!be\b|the\b|an?\b|this\b|its?\b|all\b|each\b|any\b|that\b|their\b|these\b|our\b|your\b|another\b|one\b)[a-z]{2,}|[,;:—(]|\.\s| - |\band \w+s\b|\bwhich\b|\breturning\b/i;
