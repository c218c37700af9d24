import { expect, test } from "vitest";

import { InsideOutlet } from "./inside-outlet.ts";

/** A stream into an outlet that keeps events of at most 100 bytes; `onEvent` may throw. */
function opened(onEvent: (data: string) => void): { outlet: InsideOutlet; closed: () => number } {
  const outlet = new InsideOutlet(100, onEvent);
  let closed = 0;
  outlet.once("close", () => closed++);
  outlet.writeHead(200, ["content-type", "text/event-stream"]);
  return { outlet, closed: () => closed };
}

const GIANT = `data: ${"x".repeat(200)}\n\n`;

test.each([
  ["an event that is too large", GIANT, /larger than 100 bytes/],
  ["an event that who asked cannot take", "data: bad\n\n", /it is bad/],
])("%s breaks the answer off; who writes it hears nothing", async (_, event, why) => {
  const events: string[] = [];
  const { outlet, closed } = opened((data) => {
    if (data === "bad") throw new Error("it is bad");
    events.push(data);
  });
  expect(outlet.write("data: a\n\n")).toBe(true);
  outlet.write(event);
  expect(outlet.destroyed).toBe(true);
  // The exchange ends the stream in its own time, with an error event that nobody waits for any more.
  outlet.write("data: b\n\n");
  outlet.end("data: c\n\n");
  await expect(outlet.answer).rejects.toThrow(why);
  expect([events, closed()]).toEqual([["a"], 1]);
});

test("an end that cannot be taken is no end", async () => {
  const { outlet } = opened(() => undefined);
  outlet.end(GIANT);
  await expect(outlet.answer).rejects.toThrow(/larger than 100 bytes/);
});

test("an answer that is no stream is collected as it is", async () => {
  const outlet = new InsideOutlet(10, () => expect.unreachable());
  outlet.writeHead(200, ["content-type", "application/json"]);
  outlet.write("{");
  outlet.end('"long":"longer than ten bytes"}');
  expect((await outlet.answer).body.toString()).toBe('{"long":"longer than ten bytes"}');
});
