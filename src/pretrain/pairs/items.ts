import type { Rng } from "../../base/index.js";

/** What an epoch shows: pair `pairs[i]`, which was shown `passes[i]` times before. */
export interface EpochItems {
  readonly pairs: Uint32Array;
  readonly passes: Uint32Array;
}

/**
 * How many pairs of each language an epoch of `sum(counts)` pairs shows: in proportion to count^(1 / temperature), at
 * least one where there are any. 1 shows every pair once, a large temperature all languages alike.
 *
 * @example
 * languageQuotas([900, 100], 2); // sqrt: 30 to 10, so [750, 250]
 */
export function languageQuotas(counts: readonly number[], temperature: number): number[] {
  if (temperature === 1) return [...counts];
  const weights = counts.map((count) => (count === 0 ? 0 : count ** (1 / temperature)));
  const total = counts.reduce((a, b) => a + b, 0);
  const whole = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((total * weight) / whole))));
}

/**
 * The items of every epoch, as pure functions of the key and the epoch. Each language has an endless stream: all of its
 * pairs in one random order, then in another, and so on. Epoch `e` takes the `e`-th stretch of its quota's length, so
 * that the pairs of a language are shown equally often, to within one, over a run of any length.
 *
 * @param languages of each pair, a number from 0 on
 */
export function itemsByLanguage(languages: Uint8Array, temperature: number, rng: Rng): (epoch: number) => EpochItems {
  if (temperature === 1) {
    return (epoch) => ({
      pairs: Uint32Array.from(languages, (_, pair) => pair),
      passes: new Uint32Array(languages.length).fill(epoch),
    });
  }
  const members = membersOf(languages);
  const quotas = languageQuotas(
    members.map(({ length }) => length),
    temperature,
  );
  const total = quotas.reduce((a, b) => a + b, 0);
  return (epoch) => {
    const items = { pairs: new Uint32Array(total), passes: new Uint32Array(total) };
    let at = 0;
    members.forEach((own, language) => {
      const quota = quotas[language]!;
      let [pass, order] = [-1, own];
      for (let k = epoch * quota; k < (epoch + 1) * quota; k++) {
        if (Math.floor(k / own.length) !== pass) {
          pass = Math.floor(k / own.length);
          order = rng.split("language", language, pass).permutation(own.length);
        }
        items.pairs[at] = own[order[k % own.length]!]!;
        items.passes[at++] = pass;
      }
    });
    return items;
  };
}

function membersOf(languages: Uint8Array): Uint32Array[] {
  const members: number[][] = [];
  languages.forEach((language, pair) => {
    while (members.length <= language) members.push([]);
    members[language]!.push(pair);
  });
  return members.map((own) => Uint32Array.from(own));
}
