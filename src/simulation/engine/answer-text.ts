/** What a simulated engine answers to a prompt: whoever asked can check that nothing is lost, doubled or another's. */
export interface ExpectedAnswer {
  readonly text: string;
  /** Pieces in which it is streamed, one a token; together they are the text. */
  readonly tokens: readonly string[];
  readonly finishReason: "stop" | "length";
  readonly promptTokens: number;
}

/** Tokens of a text by the usual four characters each; at least one. */
export const tokensOf = (text: string): number => Math.max(1, Math.ceil(text.length / 4));

/** Shortest answer that nobody bounded, and how much longer the prompt may make it. */
const SHORTEST = 12;
const SPREAD = 21;

/**
 * A word that stands for the prompt, then `w1 w2 w3 …`, one word a token. The answer has as many tokens as the prompt asks
 * for with `words=40`, else 12 to 32 by its hash; fewer where `maxTokens` or a stop string end it.
 */
export function expectedAnswer(
  prompt: string,
  bounds: { readonly maxTokens?: number; readonly stop?: readonly string[] } = {},
): ExpectedAnswer {
  const hash = hashOf(prompt);
  const asked = /words=(\d{1,6})/.exec(prompt)?.[1];
  const natural = asked === undefined ? SHORTEST + (hash % SPREAD) : Math.max(1, Number(asked));
  const bounded = Math.min(natural, bounds.maxTokens ?? natural);
  const all = Array.from({ length: bounded }, (_, i) =>
    i === 0 ? `p${hash.toString(16).padStart(8, "0")}` : ` w${i}`,
  );
  const tokens = stoppedAt(all, bounds.stop ?? []);
  const stopped = tokens.length < all.length || tokens.at(-1) !== all.at(-1);
  return {
    text: tokens.join(""),
    tokens,
    finishReason: stopped || bounded === natural ? "stop" : "length",
    promptTokens: tokensOf(prompt),
  };
}

/**
 * What is left of the answer to a prompt when it was begun; the begun part is then in the prompt, token for token. A text
 * that is no beginning of that answer is part of the question.
 */
export function restOfAnswer(
  prompt: string,
  begun: string,
  bounds: { readonly maxTokens?: number; readonly stop?: readonly string[] },
): ExpectedAnswer {
  if (begun === "") return expectedAnswer(prompt, bounds);
  const said = begun.split(/(?= )/).length;
  const { maxTokens } = bounds;
  const whole = expectedAnswer(prompt, {
    ...bounds,
    ...(maxTokens === undefined ? {} : { maxTokens: said + maxTokens }),
  });
  if (whole.tokens.slice(0, said).join("") !== begun) return expectedAnswer(`${prompt}${begun}`, bounds);
  const tokens = whole.tokens.slice(said);
  return { ...whole, tokens, text: tokens.join(""), promptTokens: whole.promptTokens + said };
}

/** The tokens before the first stop string, the last of them cut where it begins. */
function stoppedAt(tokens: readonly string[], stop: readonly string[]): readonly string[] {
  const text = tokens.join("");
  const places = stop.map((word) => (word === "" ? -1 : text.indexOf(word))).filter((place) => place >= 0);
  if (places.length === 0) return tokens;
  let left = Math.min(...places);
  const kept: string[] = [];
  for (const token of tokens) {
    if (left <= 0) break;
    kept.push(token.slice(0, left));
    left -= token.length;
  }
  return kept;
}

/** FNV-1a, 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
