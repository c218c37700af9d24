import type { AnswerTurn } from "../turn.ts";

/** Milliseconds to the first token, and tokens a second from there on; what is not known is absent. */
export function answerSpeed({ asked, first, last, usage, parts }: AnswerTurn): {
  readonly ttft?: number;
  readonly tokensPerSecond?: number;
} {
  if (first === undefined) return {};
  const ttft = first - asked;
  const time = (last ?? first) - first;
  const tokens = usage?.completion ?? 0;
  // One token has no pace, and while tools run no tokens come.
  const paced = tokens >= 2 && time > 0 && parts.every(({ kind }) => kind !== "call");
  return !paced ? { ttft } : { ttft, tokensPerSecond: ((tokens - 1) * 1000) / time };
}
