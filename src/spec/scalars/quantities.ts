import { z } from "zod";
import { parseBytes, parseDuration } from "../../core/index.ts";
import type { ScalarFacts } from "./facts.ts";
import { parsedText, withFacts } from "./facts.ts";

/** `64`, `64G` and `64 GiB of it` are 64GiB to everyone who types them. */
const correctBytes = (typed: string | number): string | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGTP])?/i.exec(String(typed));
  return match === null ? undefined : `${match[1] ?? ""}${(match[2] ?? "G").toUpperCase()}iB`;
};

const BYTES: ScalarFacts = {
  expected: "an amount with its unit (B, KiB, MiB, GiB, TiB, or kB, MB, GB, TB)",
  example: "96GiB",
  unit: true,
  correct: correctBytes,
};

/** An amount of memory or disk; bytes, more than 0. */
export const bytes = () =>
  parsedText(BYTES, parseBytes, (amount) =>
    amount > 0 ? undefined : { expected: "more than nothing", hint: BYTES.example },
  );

/** A span of time; milliseconds. */
export const duration = () =>
  parsedText(
    { expected: "a duration with its unit (ms, s, m, h, d)", example: "30s", unit: true },
    parseDuration,
  );

const BITS = new Map([
  ["bit/s", 1],
  ["kbit/s", 1e3],
  ["Mbit/s", 1e6],
  ["Gbit/s", 1e9],
]);

function parseBandwidth(text: string): number | undefined {
  const bits = /^\s*(\d+(?:\.\d+)?)\s*([kMG]?bit\/s)\s*$/.exec(text);
  if (bits !== null) return Math.round((Number(bits[1]) * (BITS.get(bits[2] ?? "") ?? 0)) / 8);
  const perSecond = /^(.*\S)\s*\/\s*s\s*$/.exec(text);
  return perSecond === null ? undefined : parseBytes(perSecond[1] ?? "");
}

/** A rate of transfer; bytes a second. */
export const bandwidth = () =>
  parsedText({ expected: "a rate with its unit", example: "100MB/s", unit: true }, parseBandwidth);

function parsePower(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(k?W)\s*$/.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * (match[2] === "kW" ? 1000 : 1));
}

/** Electrical power; watts. */
export const power = () =>
  parsedText({ expected: "a power with its unit", example: "450W", unit: true }, parsePower);

function parseTemperature(text: string): number | undefined {
  const match = /^\s*(\d+)\s*(?:°C|C)\s*$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** A temperature; degrees Celsius. */
export const temperature = () =>
  parsedText({ expected: "a temperature with its unit", example: "85C", unit: true }, parseTemperature);

function parsePercent(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) / 100;
  return value > 0 && value <= 1 ? value : undefined;
}

const FRACTION: ScalarFacts = {
  expected: "a share above 0 and up to 1, or a percentage",
  example: "0.9",
  correct: (typed) => (Number(typed) >= 2 && Number(typed) <= 100 ? `${typed}%` : undefined),
};

/** A share of a whole, `0.95` or `95%`; a fraction above 0 and up to 1. */
export const fraction = () =>
  withFacts(z.union([z.number().gt(0).lte(1), parsedText(FRACTION, parsePercent)]), FRACTION);

const AMOUNT_OR_SHARE = { expected: "an amount with its unit, or a percentage", example: "1GiB", unit: true };

/** Headroom that is kept free: an amount (`{bytes}`) or a share of the whole (`{fraction}`). */
export const amountOrShare = () =>
  parsedText(
    AMOUNT_OR_SHARE,
    (text): { readonly bytes: number } | { readonly fraction: number } | undefined => {
      const amount = parseBytes(text);
      if (amount !== undefined) return { bytes: amount };
      const share = parsePercent(text);
      return share === undefined ? undefined : { fraction: share };
    },
  );

interface Range {
  readonly min: number;
  readonly max: number;
  readonly typed: readonly [string, string];
}

/** Reads `404GB`, `100GB-150GB`, or `100-150GB`, where the first number takes the unit of the second. */
function parseRange(text: string): Range | undefined {
  const [low = "", high = low, ...rest] = text.split("-").map((part) => part.trim());
  const first = /^[\d.]+$/.test(low) ? low + high.replace(/^[\d.\s]*/, "") : low;
  const min = parseBytes(first);
  const max = parseBytes(high);
  return rest.length > 0 || min === undefined || max === undefined
    ? undefined
    : { min, max, typed: [first, high] };
}

/** A size or a range of sizes, `404GB` or `100GB-150GB`; bytes. */
export const sizeOrRange = () =>
  parsedText(
    { expected: "a size or a range of sizes with units", example: "404GB", unit: true },
    parseRange,
    ({ min, max, typed }) =>
      min <= max ? undefined : { expected: "the smaller size first", hint: `${typed[1]}-${typed[0]}` },
  ).transform(({ min, max }) => ({ min, max }));

const count = (min: number, max: number, what: string, example: string) =>
  withFacts(z.int().min(min).max(max), { expected: what, example });

/** A whole number between two bounds. */
export const whole = (min: number, max: number, example: number) =>
  count(min, max, `a whole number from ${min} to ${max}`, String(example));

/** `32k` is 32 768 tokens to everyone who types it. */
const correctTokens = (typed: string | number): string | undefined => {
  const match = /^(\d+)\s*(?:k|ki)$/i.exec(String(typed));
  return match === null ? undefined : String(Number(match[1]) * 1024);
};

const TOKENS: ScalarFacts = {
  expected: "a number of tokens without a unit",
  example: "32768",
  correct: correctTokens,
};

/** A number of tokens. */
export const tokens = () => withFacts(z.int().min(1).max(1_000_000_000), TOKENS);

/** A number of tokens, or `auto` for the planner's choice. */
export const autoOrTokens = () =>
  withFacts(z.union([z.literal("auto"), z.int().min(1).max(1_000_000_000)]), {
    ...TOKENS,
    expected: "a number of tokens without a unit, or auto",
  });

/** A whole number, or `auto` for the planner's choice. */
export const autoOr = (min: number, max: number, example: number) =>
  withFacts(z.union([z.literal("auto"), z.int().min(min).max(max)]), {
    expected: `a whole number from ${min} to ${max}, or auto`,
    example: String(example),
  });

/** A day or an instant, UTC unless an offset is given; milliseconds since the epoch. */
export const instant = () =>
  parsedText({ expected: "a date", example: "2027-01-31" }, (text) => {
    if (!/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined;
    const time = Date.parse(text);
    const midnight = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
    if (Number.isNaN(time) || Number.isNaN(midnight)) return undefined;
    // Date.parse rolls 2027-02-30 over into March; a calendar day must survive the round trip.
    return new Date(midnight).toISOString().startsWith(text.slice(0, 10)) ? time : undefined;
  });

function parseMinute(text: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  const minute = match === null ? -1 : Number(match[1]) * 60 + Number(match[2]);
  return match === null || Number(match[2]) > 59 || minute > 24 * 60 ? undefined : minute;
}

/** Hours of the day, local time of the node; minutes after midnight. The end may be before the start (over midnight). */
export const hours = () =>
  parsedText({ expected: "hours of the day", example: "22:00-06:00" }, (text) => {
    const [from, to, ...rest] = text.split("-").map(parseMinute);
    return from === undefined || to === undefined || rest.length > 0 || from === to
      ? undefined
      : { from, to };
  });
