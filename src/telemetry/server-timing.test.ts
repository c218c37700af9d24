import { expect, it } from "vitest";
import { serverTiming } from "./server-timing.ts";

it("tells times and the route as Server Timing has it", () => {
  expect(serverTiming({ queued: 0.42, route: "assistant", engine: 12.349 })).toBe(
    'queue;dur=0.4, route;desc="assistant", engine;dur=12.3',
  );
  expect(serverTiming({ queued: 1500 })).toBe("queue;dur=1500");
  expect(serverTiming({ queued: -3, engine: 0 })).toBe("queue;dur=0, engine;dur=0");
});

it("holds no name that would break a header", () => {
  expect(serverTiming({ queued: 0, route: 'a"b\\c\r\nd é' })).toBe(
    String.raw`queue;dur=0, route;desc="a\"b\\c??d ?"`,
  );
});
