import type { CallToolResult } from "@modelcontextprotocol/server";
import fc from "fast-check";
import { expect, test } from "vitest";
import { capPrompt, capResource, capTool, cutText } from "./output-cap.ts";

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const text = fc.string({ unit: "binary", maxLength: 4000 });
const block = fc.oneof(
  text.map((said) => ({ type: "text" as const, text: said })),
  text.map((data) => ({ type: "image" as const, data, mimeType: "image/png" })),
  fc.tuple(text, text).map(([uri, said]) => ({ type: "resource" as const, resource: { uri, text: said } })),
  text.map((uri) => ({ type: "resource_link" as const, uri, name: "n" })),
);

test("a result is what it was, or within its bound and says what is missing", () => {
  fc.assert(
    fc.property(
      fc.array(block, { maxLength: 8 }),
      fc.option(fc.dictionary(fc.string(), text, { maxKeys: 5 })),
      fc.integer({ min: 1024, max: 20_000 }),
      (content, structured, bound) => {
        const given: CallToolResult = {
          content,
          ...(structured === null ? {} : { structuredContent: structured }),
        };
        const { result, bytes } = capTool(given, bound, false);
        expect(bytes).toBe(bytesOf(result));
        const isWhole = bytesOf(given) <= bound;
        expect(result === given).toBe(isWhole);
        expect(isWhole || bytes <= bound).toBe(true);
        const note = JSON.stringify(result.content.at(-1)) ?? "";
        expect(isWhole || note.includes("[Omni: the answer had")).toBe(true);
      },
    ),
  );
});

test("contents of resources and prompts are within their bounds too", () => {
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1024, max: 8000 }),
      (texts, bound) => {
        const contents = texts.map((said, n) =>
          n % 2 === 0 ? { uri: "a:b", text: said } : { uri: "a:c", blob: said },
        );
        expect(bytesOf(capResource({ contents }, bound).result)).toBeLessThanOrEqual(bound);
        const messages = texts.map((said) => ({
          role: "user" as const,
          content: { type: "text" as const, text: said },
        }));
        expect(bytesOf(capPrompt({ messages }, bound).result)).toBeLessThanOrEqual(bound);
      },
    ),
  );
});

test("a text is cut at a character, to no more bytes than there are for it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 60 }), (given, bound) => {
      const cut = cutText(given, bound);
      expect(given.startsWith(cut)).toBe(true);
      expect(bytesOf(cut) - 2).toBeLessThanOrEqual(bound);
      expect(cut.isWellFormed()).toBe(given.slice(0, cut.length).isWellFormed());
    }),
  );
  expect(cutText("a💥b", 3)).toBe("a");
  expect(cutText("\u0000\u0000", 6)).toBe("\u0000");
});

test("what a client was promised and does not get is an error to it", () => {
  const given: CallToolResult = { content: [], structuredContent: { a: "x".repeat(5000) } };
  expect(capTool(given, 2000, true).result.isError).toBe(true);
  expect(capTool(given, 2000, false).result.isError).toBeUndefined();
});

test("a text beside an image that does not fit stays whole", () => {
  const image = { type: "image" as const, data: "A".repeat(5000), mimeType: "image/png" };
  const given: CallToolResult = { content: [{ type: "text", text: "hello" }, image] };
  const { content } = capTool(given, 2000, false).result;
  expect(content[0]).toEqual({ type: "text", text: "hello" });
  expect(JSON.stringify(content[1])).toContain("an image of 5000 characters of base64 is left out");
});
