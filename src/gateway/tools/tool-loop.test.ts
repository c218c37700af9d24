import fc from "fast-check";
import { expect, test } from "vitest";

import type { OfferedTool } from "./offered-tools.ts";
import { TOOL_BOUNDS } from "./tool-bounds.ts";
import { ToolLoop } from "./tool-loop.ts";

const tool = (name: string, approval = false): OfferedTool => ({
  name: `s__${name}`,
  server: "s",
  tool: name,
  inputSchema: {},
  approval,
});
const TOOLS = [tool("read"), tool("drop", true)];
const call = (name: string) => ({ id: name, name, arguments: "{}" });
const names = (calls: readonly { readonly name: string }[]): string[] => calls.map(({ name }) => name);
const RESPONSES = { asksApproval: true, runsBesideClient: true };
const CHAT = { asksApproval: false, runsBesideClient: false };

test("what follows an answer, by whose functions it calls", () => {
  const loop = new ToolLoop(TOOL_BOUNDS, RESPONSES, TOOLS);
  expect(loop.answered([], 0)).toEqual({ run: [], approve: [], again: false });
  expect(loop.answered([call("own")], 0)).toEqual({ run: [], approve: [], again: false });
  const mixed = loop.answered([call("s__read"), call("own")], 0);
  expect([names(mixed.run), mixed.again]).toEqual([["s__read"], false]);
  const asks = loop.answered([call("s__read"), call("s__drop")], 0);
  expect([names(asks.run), names(asks.approve), asks.again]).toEqual([["s__read"], ["s__drop"], false]);
  expect(loop.answered([call("s__read")], 0).again).toBe(true);

  const chat = new ToolLoop(TOOL_BOUNDS, CHAT, TOOLS);
  expect(chat.answered([call("s__read"), call("own")], 0).run).toEqual([]);
  expect(names(chat.answered([call("s__drop")], 0).run)).toEqual(["s__drop"]);
});

test("never more calls, rounds or bytes than the bounds, whatever the model does", () => {
  const round = fc.array(fc.constantFrom("s__read", "s__drop", "own"), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(round, { maxLength: 30 }), fc.nat(400), (rounds, bytes) => {
      const bounds = { ...TOOL_BOUNDS, rounds: 5, calls: 9, resultBytes: 1000, callBytes: 300 };
      const loop = new ToolLoop(bounds, RESPONSES, TOOLS);
      let asked = 0;
      let made = 0;
      let taken = 0;
      for (const calls of rounds) {
        asked++;
        const plan = loop.answered(calls.map(call), 0);
        for (const _ of plan.run) {
          made++;
          const size = Math.min(bytes, loop.room);
          loop.returned(size);
          taken += size;
        }
        if (plan.stop !== undefined || !plan.again || loop.again(0) !== undefined) break;
      }
      expect(asked).toBeLessThanOrEqual(5);
      expect(made).toBeLessThanOrEqual(9);
      expect(taken).toBeLessThanOrEqual(1000);
    }),
  );
});

test("nothing begins once the time is up", () => {
  const loop = new ToolLoop({ ...TOOL_BOUNDS, time: 1000 }, RESPONSES, TOOLS);
  expect(loop.answered([call("s__read")], 999).run).toHaveLength(1);
  expect(loop.answered([call("s__read")], 1000)).toMatchObject({
    run: [],
    stop: { reason: "max_tool_time" },
  });
  // What the model has answered stays an answer.
  expect(loop.answered([], 5000).stop).toBeUndefined();
});
