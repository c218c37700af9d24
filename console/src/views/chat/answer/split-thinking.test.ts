import fc from "fast-check";
import { expect, it } from "vitest";
import { splitThinking } from "./split-thinking.ts";

it("takes the thoughts from the beginning of a text", () => {
  expect(splitThinking("<think>\nHm.\n</think>\n\nYes.")).toEqual({ thought: "Hm.", said: "Yes." });
  expect(splitThinking("<think>still")).toEqual({ thought: "still", said: "" });
  expect(splitThinking("No <think>tags</think> here")).toEqual({
    thought: "",
    said: "No <think>tags</think> here",
  });
});

it("shows no half of a tag while it comes", () => {
  expect(splitThinking("<thi")).toEqual({ thought: "", said: "" });
  expect(splitThinking("<think>So</thi")).toEqual({ thought: "So", said: "" });
});

it("comes to the same however the text arrived", () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), (thought, said) => {
      fc.pre(!thought.includes("</think>"));
      const result = splitThinking(`<think>${thought}</think>${said}`);
      return result.thought === thought.trim() && result.said === said.trimStart();
    }),
  );
});
