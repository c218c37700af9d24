import fc from "fast-check";
import { expect, test } from "vitest";

import { askOf } from "../../../test/fakes/routing-node.ts";
import type { PrefixMarks } from "./prefix-marks.ts";
import { prefixMarks } from "./prefix-marks.ts";
import { PrefixMemory } from "./prefix-memory.ts";

interface Message {
  readonly role: string;
  readonly content: string;
}

const marksOf = (messages: readonly Message[], system?: string): PrefixMarks =>
  prefixMarks(askOf({ ...(system === undefined ? {} : { system }), messages }, "messages"));

const message = fc.record({
  role: fc.constantFrom("user", "assistant"),
  content: fc.string({ maxLength: 900 }),
});

test("a longer conversation has every mark of its shorter beginning", () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 12 }),
      fc.array(message, { minLength: 1, maxLength: 12 }),
      fc.option(fc.string({ maxLength: 3_000 }), { nil: undefined }),
      (begin, more, system) => {
        const [short, long] = [marksOf(begin, system), marksOf([...begin, ...more], system)];
        expect(long.lengths.slice(0, short.lengths.length)).toEqual(short.lengths);
        expect(long.hashes.slice(0, short.hashes.length)).toEqual(short.hashes);
        expect(long.bytes).toBeGreaterThan(short.bytes);
      },
    ),
  );
});

test("one other byte changes all marks behind it and none before it", () => {
  const text = "x".repeat(3_000);
  const [a, b] = [
    marksOf([{ role: "user", content: text }]),
    marksOf([{ role: "user", content: `${text.slice(0, 1_500)}y${text.slice(1_501)}` }]),
  ];
  const differs = a.hashes.map((hash, at) => hash !== b.hashes[at]);
  expect(a.lengths.filter((_, at) => differs[at] === false)).toEqual([256, 512, 768, 1024, 1280]);
  expect(differs.slice(5).every(Boolean)).toBe(true);
});

test("cuts are fine at first, coarse later, and end", () => {
  const { lengths, bytes } = marksOf([{ role: "user", content: "x".repeat(100_000) }]);
  expect(lengths.slice(0, 3)).toEqual([256, 512, 768]);
  expect(lengths.filter((length) => length > 8_192).slice(0, 2)).toEqual([9_216, 10_240]);
  expect(lengths.at(-1)).toBe(32_768);
  expect(bytes).toBeGreaterThan(100_000);
  expect(marksOf([{ role: "user", content: "hi" }]).lengths).toEqual([]);
});

test("a conversation goes on where it was, what many share stays with who had it first", () => {
  const memory = new PrefixMemory();
  const system = "s".repeat(4_000);
  const first = marksOf([{ role: "user", content: "a".repeat(600) }], system);
  const second = marksOf([{ role: "user", content: "b".repeat(600) }], system);
  memory.remember(first, 1, "one");
  expect(memory.find(second, 1)).toBe("one");
  // It was full, so this one went elsewhere.
  memory.remember(second, 1, "two");
  const later = marksOf(
    [
      { role: "user", content: "b".repeat(600) },
      { role: "assistant", content: "c".repeat(300) },
    ],
    system,
  );
  expect(memory.find(later, 1)).toBe("two");
  expect(memory.find(marksOf([{ role: "user", content: "d".repeat(600) }], system), 1)).toBe("one");
  expect(memory.find(first, 2)).toBeUndefined();
});

test("a short beginning in common is worth nothing", () => {
  const memory = new PrefixMemory();
  const system = "You are a helpful assistant. ".repeat(12);
  memory.remember(marksOf([{ role: "user", content: "a".repeat(2_000) }], system), 1, "one");
  expect(memory.find(marksOf([{ role: "user", content: "b".repeat(2_000) }], system), 1)).toBeUndefined();
});

test("it forgets what is old and never holds more than two generations", () => {
  const memory = new PrefixMemory(50);
  const of = (name: number): PrefixMarks =>
    marksOf([{ role: "user", content: String(name).padStart(6, "0").repeat(100) }]);
  for (let name = 0; name < 500; name++) {
    memory.remember(of(name), 1, "one");
    expect(memory.size).toBeLessThanOrEqual(100);
  }
  expect(memory.find(of(499), 1)).toBe("one");
  expect(memory.find(of(0), 1)).toBeUndefined();
});
