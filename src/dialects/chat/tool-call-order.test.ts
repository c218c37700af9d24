import { describe, expect, test } from "vitest";

import type { AnswerWriter } from "../answer.ts";
import { ToolCallOrder } from "./tool-call-order.ts";

const nothing = (): string => "";

/** Writes what it is told in short: `call` as `[id`, arguments as they are. */
const WRITER: AnswerWriter = {
  begin: nothing,
  text: (text) => `"${text}"`,
  reasoning: (text) => `(${text})`,
  signature: nothing,
  redacted: nothing,
  refusal: (text) => `!${text}`,
  call: (id) => `[${id}:`,
  argumentsDelta: (text) => text,
  finish: nothing,
  usage: nothing,
  error: nothing,
  end: nothing,
};

describe("the order of tool calls", () => {
  test("calls one after the other go through at once", () => {
    const order = new ToolCallOrder(WRITER);
    const steps = [
      order.text("hi"),
      order.call(0, "a", "f"),
      order.argumentsDelta(0, '{"x":'),
      order.argumentsDelta(0, "1}"),
      order.call(1, "b", "g"),
      order.argumentsDelta(1, "{}"),
    ];
    expect(steps).toEqual(['"hi"', "[a:", '{"x":', "1}", "[b:", "{}"]);
    expect(order.flush()).toBe("");
  });

  test("what belongs to a later call waits until the earlier one is complete", () => {
    const order = new ToolCallOrder(WRITER);
    const steps = [
      order.call(0, "a", "f"),
      order.call(1, "b", "g"),
      order.argumentsDelta(1, '{"y":'),
      order.argumentsDelta(0, '{"x":'),
      order.argumentsDelta(0, "1}"),
      order.argumentsDelta(1, "2}"),
      order.text("done"),
    ];
    expect(steps).toEqual(["[a:", "", "", '{"x":', '1}[b:{"y":', "2}", '"done"']);
    expect(order.flush()).toBe("");
  });

  test("calls that never become complete are told one after the other at the end, nothing is lost", () => {
    const order = new ToolCallOrder(WRITER);
    const steps = [
      order.call(0, "a", "f"),
      order.call(1, "b", "g"),
      order.call(2, "c", "h"),
      order.text("t"),
      order.argumentsDelta(2, "3"),
      order.argumentsDelta(1, "2"),
      order.argumentsDelta(0, "1"),
      order.argumentsDelta(2, "4"),
    ];
    expect(steps.join("")).toBe("[a:1");
    expect(order.flush()).toBe('[b:2[c:34"t"');
  });

  test("more arguments of a call that was complete hold nothing up", () => {
    const order = new ToolCallOrder(WRITER);
    order.call(0, "a", "f");
    order.argumentsDelta(0, "{}");
    order.call(1, "b", "g");
    expect(order.argumentsDelta(0, " ")).toBe("");
    expect(order.argumentsDelta(1, "{}")).toBe("{}");
    expect(order.reasoning("so")).toBe("(so)");
    expect(order.refusal("no")).toBe("!no");
  });
});
