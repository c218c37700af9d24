import type { BenchSettings } from "../../acceptance/index.ts";
import { OmniError, parseDuration } from "../../core/index.ts";
import { integerOption } from "../command.ts";
import type { Invocation } from "../command.ts";

const USUAL = { sizes: [128, 512, 2048], answer: 128, rounds: 3, levels: [1, 2, 4, 8], duration: 20_000 };
const QUICK = { sizes: [512], answer: 64, rounds: 1, levels: [1, 4], duration: 5000 };
const LONGEST = 3_600_000;

/** What the options ask for. Throws OmniError `cli.bad-argument`. */
export function benchSettings(invocation: Invocation): BenchSettings {
  const usual = invocation.flag("quick") ? QUICK : USUAL;
  const levels = numbers(invocation, "concurrency", [0, 1024]) ?? usual.levels;
  return {
    promptTokens: numbers(invocation, "prompt-tokens", [1, 10_000_000]) ?? usual.sizes,
    answerTokens: integerOption(invocation, "answer-tokens", [2, 100_000]) ?? usual.answer,
    rounds: integerOption(invocation, "rounds", [1, 100]) ?? usual.rounds,
    concurrency: levels.filter((level) => level > 0),
    duration: duration(invocation) ?? usual.duration,
    longContext: invocation.flag("long-context"),
  };
}

function numbers(
  invocation: Invocation,
  option: string,
  [least, most]: readonly [number, number],
): readonly number[] | undefined {
  const text = invocation.value(option);
  if (text === undefined) return undefined;
  const values = text.split(",").map((one) => (/^\d{1,8}$/.test(one.trim()) ? Number(one) : Number.NaN));
  if (values.every((value) => value >= least && value <= most)) return [...new Set(values)];
  throw new OmniError(
    "cli.bad-argument",
    `--${option} needs whole numbers from ${least} to ${most} between commas, not ${JSON.stringify(text)}.`,
    { hint: `For example: --${option} ${option === "concurrency" ? "1,4,16" : "512,4096"}` },
  );
}

function duration(invocation: Invocation): number | undefined {
  const text = invocation.value("duration");
  if (text === undefined) return undefined;
  const value = parseDuration(text);
  if (value !== undefined && value > 0 && value <= LONGEST) return value;
  throw new OmniError(
    "cli.bad-argument",
    `--duration needs a time of at most an hour, with its unit, not ${JSON.stringify(text)}.`,
    { hint: "For example: --duration 20s" },
  );
}
