import { expect, test } from "vitest";
import { offeringNamed } from "./named-tools.ts";

const tool = (name: string) => ({ type: "function", function: { name } });
const [A, B, C] = [tool("a"), tool("b"), tool("c")];
const body = { model: "m", tools: [A, B, C] };

test("a named tool is the only one that is offered, and must be called", () => {
  const asked = offeringNamed({ ...body, tool_choice: { type: "function", function: { name: "b" } } });
  expect(asked).toEqual({ model: "m", tools: [B], tool_choice: "required" });
});

test("allowed tools are offered alone, in their mode", () => {
  for (const mode of ["auto", "required"]) {
    const tool_choice = { type: "allowed_tools", allowed_tools: { mode, tools: [A, C] } };
    expect(offeringNamed({ ...body, tool_choice })).toEqual({ model: "m", tools: [A, C], tool_choice: mode });
  }
});

test("what names no tool of the request is left to the engine", () => {
  for (const tool_choice of [
    "auto",
    null,
    {},
    { type: "function", function: { name: "d" } },
    { type: "x" },
    5,
  ]) {
    expect(offeringNamed({ ...body, tool_choice })).toEqual({ ...body, tool_choice });
  }
  const without = { model: "m", tool_choice: { type: "function", function: { name: "a" } } };
  expect(offeringNamed(without)).toBe(without);
});
