import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { startClients } from "../../src/chaos/index.ts";
import { seenBy } from "./seen-by-clients.ts";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";

/** More models than memory: two large ones take turns on a card, an LLM and ComfyUI on another. */
const TURNS = `omni: 1
name: turns
metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 128GB }
  driver: { version: "580.95.05", flavour: open, cuda: "13.0" }
  gpus:
    gpu0: { model: RTX 3090, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
    gpu2: { model: RTX 5090, index: 2 }
runtime: process
models:
  red: { source: { file: /models/red.gguf }, format: gguf, family: Qwen2.5-Coder-32B, quantization: Q4_K_M }
  blue: { source: { file: /models/blue.gguf }, format: gguf, family: Qwen2.5-Coder-32B, quantization: Q4_K_M }
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
  coder-hf: { source: { file: /models/coder }, format: safetensors, family: Qwen2.5-Coder-7B, quantization: bf16 }
  flux: { source: { file: /models/flux }, format: safetensors, size: 12GB }
services:
  red: { model: red, engine: llama.cpp, devices: gpu0, context: 4096, parallel: 2, sharing: swap }
  blue: { model: blue, engine: llama.cpp, devices: gpu0, context: 4096, parallel: 2, sharing: swap }
  idle: { model: coder, engine: llama.cpp, devices: gpu1, context: 8192, parallel: 2, ttl: 2s }
  talker: { model: coder-hf, engine: vllm, devices: gpu2, context: 8192, parallel: 2, sharing: swap, priority: 7 }
  images: { model: flux, engine: comfyui, devices: gpu2, sharing: swap, takes: { vram: 20GB } }
routes:
  chat: [talker, idle]
policies:
  swap: { minResidency: 800ms, ttl: 10m, maxWait: 60s }
  watch: { interval: 250ms, coolDown: 2s, stall: 4s }
`;

const LOADING = z.object({
  error: z.object({
    code: z.literal("model_loading"),
    loading: z.object({ service: z.string(), state: z.string(), eta_seconds: z.number().optional() }),
  }),
});

describe("more models than memory", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(TURNS);
  });
  beforeEach(() => node.calm());
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  it("two-models-take-turns-under-mixed-load", async () => {
    const began = performance.now();
    const both = ["red", "blue"].map((model) =>
      // As many as answer more than that within a residency, also on a busy machine.
      startClients({ node: node.api, model, count: 8, tokens: 12, patience: 60_000 }),
    );
    try {
      await node.until("each model was loaded twice", async () => {
        const told = await node.story();
        return ["red", "blue"].every(
          (name) =>
            told.filter(({ kind, service }) => kind === "swap.loading" && service === name).length >= 2,
        );
      });
    } finally {
      await Promise.all(both.map((clients) => clients.stop()));
    }
    for (const { answers } of both) {
      expect(seenBy(answers)).toMatchObject({ lost: [], cut: 0 });
    }
    // Thrashing would be a load for every few requests; who is loaded stays for the minimum residency.
    const story = await node.story();
    const loads = story.filter(({ kind }) => kind === "swap.loading").length;
    expect(loads).toBeLessThanOrEqual((performance.now() - began) / 800 + 1);
    const answered = both.reduce((sum, { answers }) => sum + answers.length, 0);
    expect(answered / loads).toBeGreaterThan(3);
    await node.tells(["swap.unloading", undefined, /waits|turn/], ["service.unloaded"], ["swap.loading"]);
  });

  it("a-client-that-does-not-wait", async () => {
    const absent = (await node.service("red")).state === "ready" ? "blue" : "red";
    const response = await node.ask(absent, {}, { prefer: "wait=0" });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    const { error } = LOADING.parse(await response.json());
    expect(error.loading.service).toBe(absent);
    expect(error.loading.eta_seconds).toBeGreaterThan(0);
  });

  it("a-stream-that-waits-hears-comments", async () => {
    const absent = (await node.service("red")).state === "ready" ? "blue" : "red";
    node.board.plant(absent, { name: "slow-start", ms: 6000 });
    const response = await node.ask(absent, { stream: true });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toMatch(/^: waiting: ".*" is (queued|loading|starting|unloaded)/m);
    expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
  });

  it("idle-unload-and-load-on-request", async () => {
    await node.untilState("idle", "unloaded");
    await node.begin();
    expect((await node.ask("idle")).status).toBe(200);
    await node.untilState("idle", "unloaded");
    await node.tells(
      ["service.starting", "idle", /a request waits for it/],
      ["service.ready", "idle"],
      ["service.unloaded", "idle", /nobody asked for it/],
    );
  });

  it("comfyui-borrows-the-card-and-vllm-sleeps", async () => {
    expect((await node.service("talker")).state).toBe("ready");
    const { pid } = await node.service("talker");
    const tally = await node.underLoad({ model: "chat", tokens: 12 }, async () => {
      await node.api.order("images", "load");
      await node.untilState("images", "ready");
      expect(await node.service("talker")).toMatchObject({ state: "asleep", pid });
      await node.until("the fallback answers", async () => (await node.service("idle")).state === "ready");
      await sleep(500);
      await node.api.order("images", "unload");
      await node.untilState("talker", "ready");
    });
    expect(tally.lost).toEqual([]);
    expect(tally.cut).toBe(0);
    expect((await node.service("talker")).pid).toBe(pid);
    await node.tells(
      ["service.asleep", "talker"],
      ["service.ready", "images"],
      ["service.unloaded", "images"],
      ["service.waking", "talker"],
      ["service.ready", "talker"],
    );
  });
});
