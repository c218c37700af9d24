/** Words of one token in nearly every vocabulary, so that a prompt's length follows from their number. */
const WORDS =
  "time year people way day man thing woman life child world school state family student group country problem hand part place case week company system program question work government number night point home water room mother area money story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city community name".split(
    " ",
  );

/** Draws words in an order of its own for each seed: equal seeds give equal prompts. */
function wordsFrom(seed: number, count: number): string {
  let state = (seed * 2_654_435_761 + 97) >>> 0;
  const words: string[] = [];
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words.push(WORDS[(state >>> 16) % WORDS.length] ?? "time");
  }
  return words.join(" ");
}

/**
 * A prompt of about that many words that no cache of prefixes can have seen: `mark` stands at its beginning and must never
 * have been used before. It asks for a long answer.
 */
export const promptOf = (mark: string, seed: number, words: number): string =>
  `${mark} Read these words: ${wordsFrom(seed, words)}. Now write all numbers from one to a thousand as words, separated by commas, and nothing else.`;

/** Words that a prompt of so many tokens takes, by what an earlier prompt of `words` was counted as. */
export const wordsFor = (
  tokens: number,
  counted: { readonly words: number; readonly tokens: number },
): number =>
  Math.max(1, Math.round((tokens - OVERHEAD) * (counted.words / Math.max(1, counted.tokens - OVERHEAD))));

/** Tokens of everything but the words: the mark, the question and a chat template, roughly. */
const OVERHEAD = 40;
