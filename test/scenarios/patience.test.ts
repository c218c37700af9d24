import { describe, it } from "vitest";
import { isAlive } from "./left-behind.ts";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";

/** Two behind one name. What is found out here takes half a minute or more, so that these wait beside all others. */
const PATIENCE = `omni: 1
name: patience
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
  restart: { restarts: 20, window: 10m, backoffMin: 200ms, backoffMax: 1s }
  watch: { interval: 1s, coolDown: 2s, stall: 4s }
`;

/** Longer than the minute for which engines wait for a new Omni. */
const GRACE = 110_000;

describe("what takes patience", { timeout: LIMIT, concurrent: true }, () => {
  it("stopped-by-SIGSTOP", async ({ expect }) => {
    const node = await ScenarioNode.start(PATIENCE);
    try {
      // A small busy machine stalls for seconds: only a long silence counts.
      const tally = await node.underLoad({ model: "chat", count: 2 }, async () => {
        await node.kill("first", "SIGSTOP");
        await node.tells(
          ["service.hung", "first", /answer/],
          ["service.restarting", "first"],
          ["service.ready", "first"],
        );
      });
      expect(tally.lost).toEqual([]);
      await node.expectNothingStray();
    } finally {
      await node.end();
    }
  });

  it("nobody-adopts", async ({ expect }) => {
    const node = await ScenarioNode.start(PATIENCE);
    try {
      const engines = [await node.service("first"), await node.service("second")].map(({ pid = -1 }) => pid);
      process.kill(node.own.pid, "SIGKILL");
      await node.until("Omni is gone", () => !isAlive(node.own.pid));
      // They are left alone for a while, so that the next Omni finds them; nobody comes.
      expect(engines.every(isAlive)).toBe(true);
      await node.until("the engines have ended by themselves", () => !engines.some(isAlive), GRACE);
      await node.until("the cards are free", () =>
        node.board.cards.every(({ uuid }) => node.board.used(uuid) === 0),
      );
    } finally {
      await node.end();
    }
  });
});
