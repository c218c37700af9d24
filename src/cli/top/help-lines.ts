import type { Line } from "./line.ts";
import { span } from "./line.ts";

const KEYS: readonly (readonly [keys: string, about: string])[] = [
  ["↑ ↓  k j", "select a service; scroll the events"],
  ["enter", "the service: why it is so, its last events, the end of its log"],
  ["l", "load it now, and unload who has its card"],
  ["u", "unload it: its answers finish; loaded again when asked for"],
  ["r", "restart it once its answers have finished"],
  ["d", "drain it: it takes nothing new; once more to resume"],
  ["e", "what happened, and why"],
  ["space", "hold what is shown; once more to go on"],
  ["esc", "back"],
  ["q  Ctrl-C", "quit; the node goes on"],
];
const WORDS: readonly (readonly [word: string, about: string])[] = [
  ["USED", "as the driver counts; the bar names services, or `other`"],
  ["BUSY", "answers under way of those it takes at once; +N wait in its engine"],
  ["RUNG", "how far it has stepped down its ladder; why stands beneath"],
  ["TTFT", "time to the first token, median of the last five minutes"],
  ["TOK/S", "tokens a second of one answer, median of the last five minutes"],
];

/** What each key does and each word means. */
export const helpLines = (): readonly Line[] => [
  ...KEYS.map(([keys, about]): Line => [span(`  ${keys.padEnd(12)}`, "bold"), span(about)]),
  [],
  ...WORDS.map(([word, about]): Line => [span(`  ${word.padEnd(12)}`, "bold"), span(about)]),
  [],
  [span("  Orders ask first; y does it. They need an admin's key in OMNI_KEY.", "dim")],
];
