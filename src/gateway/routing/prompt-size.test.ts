import fc from "fast-check";
import { expect, test } from "vitest";

import { askOf, chatOf } from "../../../test/fakes/routing-node.ts";
import { answerLimit, countedBounds, readBounds, roughBounds } from "./prompt-size.ts";
import { exceeds, fallsShort } from "./token-bounds.ts";

/** A tokenizer as coarse as any: a word is a token, and so are 16 bytes of another script. */
const fewest = (text: string): number =>
  (text.match(/[a-z]+/gi)?.length ?? 0) + Buffer.byteLength(text.replaceAll(/[\0-\x7f]/g, "")) / 16;
/** A tokenizer without a vocabulary: a byte is a token. */
const bytesOf = (text: string): number => Buffer.byteLength(text);
/** One that knows pairs of letters and characters, and nothing longer. */
const pairsOf = (text: string): number =>
  text.match(/[a-z]{1,2}|[^a-z]/gu)?.reduce((sum, one) => sum + (/[^\0-\x7f]/.test(one) ? 2 : 1), 0) ?? 0;

test("bounds hold for any text, whatever the tokenizer", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 8 }), (texts) => {
      const ask = askOf({ messages: texts.map((content) => ({ role: "user", content })) });
      const [rough, read] = [roughBounds(ask), readBounds(ask)];
      const least = texts.reduce((sum, text) => sum + fewest(text), 0);
      const bytes = texts.reduce((sum, text) => sum + bytesOf(text), 0);
      const pairs = texts.reduce((sum, text) => sum + pairsOf(text), 0);
      // Roles are words of the prompt as well.
      expect(read.least).toBeLessThanOrEqual(least + texts.length);
      expect(rough.most).toBeGreaterThanOrEqual(bytes);
      expect(rough.most).toBeGreaterThanOrEqual(read.most);
      expect(read.most).toBeGreaterThanOrEqual(pairs);
      expect(rough.least).toBe(0);
      expect(read.likely).toBeGreaterThanOrEqual(read.least);
      expect(read.likely).toBeLessThanOrEqual(Math.max(read.most, 256));
    }),
  );
});

test("a text of 41 200 words has nearly so many tokens at least, and a bounded number at most", () => {
  const read = readBounds(chatOf("word ".repeat(41_200)));
  expect(read.least).toBeGreaterThanOrEqual(37_000);
  expect(read.least).toBeLessThanOrEqual(41_203);
  expect(read.most).toBeGreaterThanOrEqual(41_200 * 3);
  expect(read.most).toBeLessThan(41_200 * 3 + 400);
});

test("CJK has at least a token for 16 bytes, escaped or not", () => {
  const plain = readBounds(chatOf("漢字".repeat(1_000)));
  expect(plain.least).toBeGreaterThanOrEqual(375);
  expect(plain.most).toBeLessThan(6_400);
});

test("a picture's data is no text; it counts as a picture", () => {
  const image = {
    type: "image_url",
    image_url: { url: `data:image/png;base64,${"iVBORw0K".repeat(100_000)}` },
  };
  const ask = askOf({
    messages: [{ role: "user", content: [{ type: "text", text: "What is it?" }, image] }],
  });
  expect(roughBounds(ask).most).toBe(Infinity);
  const read = readBounds(ask);
  expect(read.least).toBeLessThan(100);
  expect(read.most).toBeGreaterThan(16_384);
  expect(read.most).toBeLessThan(17_000);
});

test("Anthropic's pictures are counted too, an address of a picture is not short", () => {
  const source = { type: "base64", media_type: "image/jpeg", data: "/9j/4AAQ".repeat(50_000) };
  const both = askOf(
    {
      messages: [
        { role: "user", content: [{ type: "image", source }] },
        {
          role: "user",
          content: [{ type: "image", source: { type: "url", url: "https://pictures/1.png" } }],
        },
      ],
    },
    "messages",
  );
  const read = readBounds(both);
  expect(read.most).toBeGreaterThan(2 * 16_384);
  expect(read.most).toBeLessThan(2 * 16_384 + 1_000);
});

test("a text that speaks of pictures is none", () => {
  const ask = chatOf('Send {"type": "image_url"} or {"type":"image"}, or "image"');
  expect(roughBounds(ask).most).toBeLessThan(500);
});

test("tools and the system's words are part of the prompt, embeddings have no window", () => {
  const tools = [{ type: "function", function: { name: "f", description: "x".repeat(5_000) } }];
  expect(roughBounds(chatOf("hi", { tools })).most).toBeGreaterThan(5_000);
  const said = askOf({ system: "y".repeat(3_000), messages: [] }, "messages");
  expect(roughBounds(said).most).toBeGreaterThan(3_000);
  expect(roughBounds(askOf({ input: "z".repeat(9_000) }, "embeddings")).most).toBe(0);
});

test("a count narrows the bounds to what a template adds; a counted part does so for itself only", () => {
  const read = { least: 10, most: 9_000, likely: 3_000 };
  expect(countedBounds(read, 1_600, 1)).toEqual({ least: 1_600, most: 1_956, likely: 1_600 });
  expect(countedBounds(read, 1_600, 0.5)).toEqual({ least: 1_600, most: 9_000, likely: 3_200 });
});

test("bounds answer what they can", () => {
  const tokens = { least: 10, most: 20, likely: 15 };
  expect([exceeds(tokens, 9), exceeds(tokens, 10), exceeds(tokens, 20)]).toEqual([true, undefined, false]);
  expect([fallsShort(tokens, 10), fallsShort(tokens, 20), fallsShort(tokens, 21)]).toEqual([
    false,
    undefined,
    true,
  ]);
});

test("the answer's limit is read where it is a plain number", () => {
  expect(answerLimit(chatOf("x", { max_tokens: 300 }))).toBe(300);
  expect(answerLimit(chatOf("x", { max_completion_tokens: 4096 }))).toBe(4096);
  expect(answerLimit(chatOf("x", { max_tokens: null }))).toBeUndefined();
  expect(answerLimit(chatOf("x", { max_tokens: -1 }))).toBeUndefined();
  expect(answerLimit(chatOf("x"))).toBeUndefined();
});

test("four megabytes of text are not read to the end, and still bounded", () => {
  const read = readBounds(chatOf("word ".repeat(800_000)));
  expect(read.least).toBeGreaterThan(300_000);
  expect(read.most).toBeGreaterThan(3_000_000);
});
