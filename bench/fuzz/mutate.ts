import type { Random } from "./random.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.5,
  1e308,
  9_007_199_254_740_992,
  "",
  "x",
  "\u0000",
  "\ud83d",
  "😀",
  "data: [DONE]\n\n",
  '"finish_reason":"stop"',
  "__proto__",
  [],
  {},
  [[]],
  [null],
  { type: "text" },
  { error: { message: "no" } },
];

const NAMES = [
  "__proto__",
  "constructor",
  "type",
  "role",
  "content",
  "index",
  "error",
  "usage",
  "stream",
  "",
] as const;

/** A value changed in a few places within its grammar: members go, come twice, change places, type or value. */
export function mutated(random: Random, value: unknown, times = 1 + random.below(3)): unknown {
  let result: unknown = value;
  for (let i = 0; i < times; i++) result = once(random, result, 0);
  return result;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function once(random: Random, value: unknown, depth: number): unknown {
  if (depth > 0 && random.chance(0.12)) return leaf(random, value);
  if (Array.isArray(value)) return inList(random, value, depth);
  if (isObject(value)) return inObject(random, value, depth);
  return leaf(random, value);
}

function inList(random: Random, list: readonly unknown[], depth: number): unknown {
  const at = random.below(Math.max(1, list.length));
  switch (random.below(6)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.toSpliced(at, 0, list[at]);
    case 2:
      return list.toReversed();
    default:
      return list.length === 0 ? [random.pick(ODD)] : list.with(at, once(random, list[at], depth + 1));
  }
}

function inObject(random: Random, object: Record<string, unknown>, depth: number): unknown {
  const entries = Object.entries(object);
  const at = random.below(Math.max(1, entries.length));
  const entry = entries[at];
  if (entry === undefined) return { [random.pick(NAMES)]: random.pick(ODD) };
  const [name, value] = entry;
  switch (random.below(8)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(at, 1));
    case 1:
      return Object.fromEntries([...entries, [random.pick(NAMES), random.pick(ODD)]]);
    case 2:
      return Object.fromEntries(entries.with(at, [random.pick(NAMES), value]));
    default:
      return Object.fromEntries(entries.with(at, [name, once(random, value, depth + 1)]));
  }
}

function leaf(random: Random, value: unknown): unknown {
  if (typeof value === "string" && value.length > 0 && random.chance(0.5)) {
    const at = random.below(value.length);
    return (
      value.slice(0, at) +
      random.pick(["", '"', "\\", "\n", "é", "😀", "\u0000", " "]) +
      value.slice(at + random.below(3))
    );
  }
  if (typeof value === "number" && random.chance(0.5))
    return random.pick([-value, value * 1e9, value + 0.5, 0]);
  if (random.chance(0.02)) return deep(random.pick([20, 200, 3_000]));
  if (random.chance(0.02)) return "a".repeat(random.pick([300, 5_000, 70_000]));
  return random.pick(ODD);
}

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

const BYTES = [
  "\0",
  "\r",
  "\n",
  "\r\n",
  "\n\n",
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\\",
  "\xff",
  "\xc3",
  "\xf0\x9f",
  " ",
  "0",
  "data:",
];

/** Bytes (as latin1) with a few of them gone, changed, doubled or put in. */
export function garbled(random: Random, bytes: string, times = 1 + random.below(3)): string {
  let text = bytes;
  for (let i = 0; i < times; i++) {
    const at = random.below(text.length + 1);
    const length = random.below(random.chance(0.2) ? 40 : 4);
    switch (random.below(5)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + length);
        break;
      case 1:
        text = text.slice(0, at) + random.pick(BYTES) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
        break;
      case 3:
        text = text.slice(0, at) + text.slice(at, at + length) + text.slice(at);
        break;
      default:
        text = text.slice(0, at);
    }
  }
  return text;
}

/** JSON text as bytes; `undefined` of JSON.stringify as nothing. */
export const jsonBytes = (value: unknown): string =>
  Buffer.from(JSON.stringify(value) ?? "").toString("latin1");
