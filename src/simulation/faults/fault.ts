import { fieldsOf, numberIn, textIn } from "../read-fields.ts";

/** Every fault by name, with what clients and Omni see of it. */
export const FAULTS = {
  heal: "ends all faults that were told at run time",
  die: "ends at once, with `code`, a `signal`, or last words that `text` gives",
  stall: "accepts connections and answers nothing, health included",
  hang: "health and metrics answer, and nothing is computed any more: work waits, counters stand still",
  deaf: "connections are refused; those that are open go on",
  "cut-stream": "breaks a stream's connection after `tokens`",
  malformed: "sends an event that is no JSON after `tokens`, and ends the stream in order",
  garbage: "answers 200 with nonsense",
  wrong: 'is healthy, and answers an empty text (or an error, `text: "error"`)',
  slow: "generates `tokensPerSecond`",
  "slow-start": "takes `ms` to load",
  "hang-at-load": "never ends loading",
  "oom-at-load": "runs out of memory while loading",
  "oom-at-run": "runs out of memory while serving, and ends as this kind of engine does",
  "core-dead":
    "what computes has died: requests get 500, health answers 200 for `ms` more, then it ends with code 0",
  leak: "holds `bytes` more of its first card every second",
  "port-busy": "finds its port taken",
  "no-kernel": "has no code for the card",
  "on-processor": "sees no card: computes on the processor where it can, ends where it cannot",
  "exit-after-ready": "ends with `code` (0) `ms` (200) after it was ready",
  "no-model": "does not find its model",
  "wrong-flag": "does not know a flag of its command (`text`)",
  "ignore-term": "does not end on SIGTERM",
  "metrics-silent": "has no metrics and no slots any more",
} as const;
export type FaultName = keyof typeof FAULTS;

/** One way to fail. What a fault does not use it ignores. */
export interface Fault {
  readonly name: FaultName;
  readonly code?: number;
  readonly signal?: "SIGKILL" | "SIGTERM" | "SIGSEGV" | "SIGABRT";
  readonly tokens?: number;
  readonly tokensPerSecond?: number;
  readonly ms?: number;
  readonly bytes?: number;
  readonly text?: string;
  /** It begins after so many ms, and ends after so many more. */
  readonly after?: number;
  readonly for?: number;
  /** It meets only so many requests; all when absent. */
  readonly requests?: number;
}

const SIGNALS = ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT"] as const;
const NUMBERS = ["code", "tokens", "tokensPerSecond", "ms", "bytes", "after", "for", "requests"] as const;

const isFaultName = (text: string): text is FaultName => Object.hasOwn(FAULTS, text);

/** A fault as it was written in JSON; `undefined` for what is none. */
export function faultFrom(value: unknown): Fault | undefined {
  const fields = fieldsOf(value);
  const name = textIn(fields, "name") ?? "";
  if (!isFaultName(name)) return undefined;
  const signal = SIGNALS.find((signal) => signal === textIn(fields, "signal"));
  const text = textIn(fields, "text");
  const numbers = NUMBERS.flatMap((key) => {
    const number = numberIn(fields, key);
    return number === undefined ? [] : [[key, number] as const];
  });
  return {
    name,
    ...Object.fromEntries(numbers),
    ...(signal === undefined ? {} : { signal }),
    ...(text === undefined ? {} : { text }),
  };
}
