import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";

/** Two engines on two cards behind one name: what one leaves undone the other can do. */
const PAIR = `omni: 1
name: pair
metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 64GB }
  gpus:
    gpu0: { model: RTX 5090, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
services:
  first: { model: coder, engine: llama.cpp, devices: gpu0, context: 8192, parallel: 4 }
  second: { model: coder, engine: llama.cpp, devices: gpu1, context: 8192, parallel: 4 }
routes:
  chat: [first, second]
policies:
  ladder: [quantize-kv-cache, halve-context]
  restart: { restarts: 20, window: 10m, backoffMin: 200ms, backoffMax: 1s }
  watch: { interval: 250ms, coolDown: 2s, stall: 4s }
`;

describe("an engine fails and another of its route is there", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(PAIR);
  });
  beforeEach(() => node.calm());
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  it("kill-with-a-replica", async () => {
    const { pid, restarts } = await node.service("first");
    const tally = await node.underLoad({ model: "chat" }, async () => {
      await node.kill("first");
      await node.tells(
        ["service.crashed", "first", /after .* ready\. .*SIGKILL/],
        ["service.restarting", "first", /in 200 ms \(restart 1 of at most 20 within 10 m/],
        ["service.starting", "first", /again \(restart/],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
    const after = await node.service("first");
    expect(after.pid).not.toBe(pid);
    expect(after.restarts).toBe(restarts + 1);
  });

  it("hang", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      await node.strike("first", { name: "hang" });
      await node.tells(
        ["service.stalled", "first", /has work .* made no progress for/],
        ["service.restarting", "first"],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
  });

  it("core-dead-while-health-says-200", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      await node.strike("first", { name: "core-dead", ms: 60_000 });
      await node.tells(
        ["service.core-dead|service.broken", "first", /ended by Omni. .*illegal memory access/],
        ["service.restarting", "first"],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
  });

  it("exit-0-after-ready", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      await node.strike("first", { name: "die", code: 0 });
      await node.tells(
        ["service.crashed", "first", /exit code 0/],
        ["service.restarting", "first"],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
  });

  it("one-token-probe-wrong", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      // A new engine answers a first request of Omni's own before it gets those of clients.
      node.board.plant("first", { name: "wrong" }, 1);
      await node.kill("first");
      await node.tells(
        ["service.crashed", "first"],
        ["service.wrong-answer", "first", /first|wrong/],
        ["service.restarting", "first"],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
  });

  it("stream-cut-and-event-that-is-none", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      await node.strike("first", { name: "cut-stream", tokens: 3, requests: 2 });
      // Both at once may meet the same requests, and the cut hides the other.
      await node.tells(["request.cut"], ["request.continued"]);
      await node.strike("first", { name: "malformed", tokens: 3, requests: 2 });
      await node.tells(["request.cut"], ["request.continued"], ["request.cut"], ["request.continued"]);
    });
    expect(tally.lost).toEqual([]);
    // The other service of the route says the rest, so that no client sees an error.
    expect(tally.answered).toBeGreaterThan(0);
    expect(tally.cut).toBe(0);
    expect((await node.service("first")).state).toBe("ready");
  });

  it("out-of-memory-at-load", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      node.board.plant("first", { name: "oom-at-load" }, 1);
      await node.kill("first");
      await node.tells(
        ["service.crashed", "first", /before it was ready\. .*has no .* left/],
        [
          "ladder.down",
          "first",
          /rung 1 \(KV cache f16 → q8_0\): its engine ran out of memory.*steps back up/,
        ],
        ["service.ready", "first"],
        ["ladder.up", "first", /as planned again/],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
    expect((await node.service("first")).ladder).toBeUndefined();
  });

  it("out-of-memory-at-run", async () => {
    const tally = await node.underLoad({ model: "chat" }, async () => {
      await node.strike("first", { name: "oom-at-run" });
      await node.tells(
        ["service.crashed", "first", /after .* ready\. /],
        ["ladder.down", "first", /its engine ran out of memory/],
        ["service.ready", "first"],
        ["ladder.up", "first"],
        ["service.ready", "first"],
      );
    });
    expect(tally.lost).toEqual([]);
  });

  it("port-stolen", async () => {
    const { endpoint } = await node.service("first");
    const port = endpoint?.kind === "tcp" ? endpoint.port : 0;
    const thief = createServer((socket) => socket.destroy());
    try {
      const tally = await node.underLoad({ model: "chat" }, async () => {
        await node.kill("first");
        await node.until("the port is taken", () => listening(thief, port));
        await node.tells(["service.crashed", "first"], ["service.ready", "first"]);
      });
      expect(tally.lost).toEqual([]);
      const now = (await node.service("first")).endpoint;
      expect(now?.kind === "tcp" ? now.port : 0).not.toBe(port);
    } finally {
      await new Promise((resolve) => thief.close(resolve));
    }
  });

  it("clock-jumps", async () => {
    const { restarts } = await node.service("first");
    const tally = await node.underLoad({ model: "chat" }, async () => {
      node.own.skewClock(3_600_000);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      node.own.skewClock(-7_200_000);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      node.own.skewClock(3_600_000);
    });
    expect(tally.lost).toEqual([]);
    expect(tally.cut).toBe(0);
    expect(await node.service("first")).toMatchObject({ state: "ready", restarts });
    expect((await node.story()).filter(({ severity }) => severity !== "info")).toEqual([]);
  });
});

function listening(server: ReturnType<typeof createServer>, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const failed = (): void => resolve(false);
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", failed);
      resolve(true);
    });
  });
}
