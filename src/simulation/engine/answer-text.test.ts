import fc from "fast-check";
import { expect, test } from "vitest";
import { expectedAnswer, restOfAnswer } from "./answer-text.ts";

test("pieces make up the text, in numbered words that begin with the prompt's own", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
      (prompt, maxTokens) => {
        const answer = expectedAnswer(prompt, maxTokens === undefined ? {} : { maxTokens });
        expect(answer.tokens.join("")).toBe(answer.text);
        const [first, ...words] = answer.text.split(" ");
        expect(first).toMatch(/^p[0-9a-f]{8}$/);
        expect(words).toEqual(words.map((_, i) => `w${i + 1}`));
        expect(answer.tokens.length).toBeLessThanOrEqual(maxTokens ?? 32);
        expect(answer).toEqual(expectedAnswer(prompt, maxTokens === undefined ? {} : { maxTokens }));
      },
    ),
  );
});

test("a prompt asks for its length, a bound cuts it, a stop string ends it", () => {
  expect(expectedAnswer("words=40").tokens).toHaveLength(40);
  expect(expectedAnswer("words=40").finishReason).toBe("stop");
  expect(expectedAnswer("words=40", { maxTokens: 7 })).toMatchObject({ finishReason: "length" });
  expect(expectedAnswer("words=40", { stop: ["w3", "w9"] })).toMatchObject({
    text: expect.stringMatching(/ w2 $/),
    finishReason: "stop",
  });
  expect(expectedAnswer("a").text.slice(0, 9)).not.toBe(expectedAnswer("b").text.slice(0, 9));
});

test("an answer that was begun goes on where it ended, within what is left of its limit", () => {
  const whole = expectedAnswer("user: words=20");
  const begun = whole.tokens.slice(0, 7).join("");
  const rest = restOfAnswer("user: words=20", begun, {});
  expect(begun + rest.text).toBe(whole.text);
  expect(rest).toMatchObject({ finishReason: "stop", promptTokens: whole.promptTokens + 7 });
  const short = restOfAnswer("user: words=20", begun, { maxTokens: 3 });
  expect(begun + short.text).toBe(whole.tokens.slice(0, 10).join(""));
  expect(short.finishReason).toBe("length");
  expect(restOfAnswer("user: words=20", "Something else", {}).text).not.toBe(rest.text);
});
