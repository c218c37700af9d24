import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";
import { placeOf } from "./told.ts";

/** Starts that fail in the ways of real engines: two vLLMs on one card, chains of engines, one without a way out. */
const STARTS = `omni: 1
name: starts
metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 256GB }
  driver: { version: "580.95.05", flavour: open, cuda: "13.0" }
  gpus:
    big: { model: RTX PRO 6000 Blackwell, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
    gpu2: { model: RTX 5090, index: 2 }
    gpu3: { model: RTX 5090, index: 3 }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
  coder-hf: { source: { file: /models/coder }, format: safetensors, family: Qwen2.5-Coder-7B, quantization: bf16 }
services:
  one: { model: coder-hf, engine: vllm, devices: big, context: 32768, parallel: 4, memoryFraction: 0.4 }
  two: { model: coder-hf, engine: vllm, devices: big, context: 8192, parallel: 4, memoryFraction: 0.4 }
  chain: { model: coder-hf, engine: [vllm, sglang], devices: gpu2, context: 8192, parallel: 4 }
  swift: { model: coder-hf, engine: [vllm, sglang], devices: gpu3, context: 8192, parallel: 4 }
  strict:
    {
      model: coder,
      engine: llama.cpp,
      devices: gpu1,
      context: 8192,
      parallel: 4,
      ladder: false,
      restart: { restarts: 20, backoffMin: 100ms, backoffMax: 200ms },
    }
policies:
  ladder: [quantize-kv-cache, halve-context]
  restart: { restarts: 2, window: 10m, backoffMin: 100ms, backoffMax: 400ms }
  watch: { interval: 250ms, coolDown: 2s, stall: 4s }
`;

describe("starts that fail", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(STARTS);
  });
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  it("two-vllms-on-one-card-start-one-after-the-other", async () => {
    const story = await node.api.since(0);
    const at = (kind: string, service: string): number => placeOf(story, kind, service);
    const [first, second] =
      at("service.ready", "one") < at("service.ready", "two") ? ["one", "two"] : ["two", "one"];
    expect(at("service.starting", second)).toBeGreaterThan(at("service.ready", first));
    expect(
      story.find(({ kind, service }) => kind === "service.queued" && service === second)?.message,
    ).toContain(`${first} starts on big first`);
    // Started together, each would count what the other takes as its own, and get a smaller cache.
    const holders = node.board.holders(node.card(0)).map(({ bytes }) => bytes);
    expect(holders).toHaveLength(2);
    const [less = 0, more = 0] = holders.toSorted((a, b) => a - b);
    expect(less / more).toBeGreaterThan(0.97);
  });

  it("crash-loop-moves-to-the-next-engine", async () => {
    await node.calm();
    node.board.plant("chain", { name: "exit-after-ready", code: 1, ms: 20 }, 3);
    await node.kill("chain");
    await node.tells(
      ["service.crashed", "chain"],
      ["service.restarting", "chain", /restart 1 of at most 2/],
      ["service.crashed", "chain"],
      ["service.restarting", "chain", /restart 2 of at most 2/],
      ["service.gave-up", "chain", /stays down/],
      [
        "service.moved",
        "chain",
        /crash loop on vllm: chain moved to sglang\. vllm is not tried again before/,
      ],
      ["service.ready", "chain"],
    );
    expect(await node.service("chain")).toMatchObject({ state: "ready", engine: "sglang", kind: "sglang" });
    expect((await node.ask("chain")).status).toBe(200);
  });

  it("no-kernel-image-moves-to-the-next-engine-at-once", async () => {
    await node.calm();
    node.board.plant("swift", { name: "no-kernel" });
    await node.kill("swift");
    await node.tells(
      ["service.crashed", "swift"],
      ["service.restarting", "swift", /restart 1/],
      ["service.failed", "swift", /kernel/],
      ["service.moved", "swift", /failure of vllm: swift moved to sglang/],
      ["service.ready", "swift"],
    );
    // The budget is for what may mend itself: a missing kernel does not.
    expect((await node.story()).filter(({ kind }) => kind === "service.restarting")).toHaveLength(1);
  });

  it("model-length-that-vllm-names", async () => {
    await node.calm();
    // A neighbour that grows while vLLM measures leaves it with less cache than one request needs.
    const { pid } = await node.service("two");
    const text =
      "(EngineCore_DP0 pid=1) ERROR 11-22 03:50:00 [core.py:866] ValueError: To serve at least one request with the models's max seq len (32768), (1.75 GiB KV cache is needed, which is larger than the available KV cache memory (1.00 GiB). Based on the available memory, the estimated maximum model length is 18720. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.";
    await node.strike("one", { name: "die", code: 1, text });
    await node.tells(
      [
        "service.failed",
        "one",
        /A request of 32768 tokens needs .* enough for 18720 tokens\. Set context: 18720/,
      ],
      ["ladder.down", "one", /context 32768 → 16384\): its engine ran out of memory/],
      ["service.ready", "one"],
    );
    expect((await node.service("one")).contextTokens).toBeLessThanOrEqual(18_720);
    expect((await node.service("two")).pid).toBe(pid);
    await node.tells(["ladder.up", "one"], ["service.ready", "one"]);
  });

  it("computes-on-the-processor", async () => {
    await node.calm();
    node.board.plant("strict", { name: "on-processor" });
    await node.kill("strict");
    const told = await node.tells(["service.ready", "strict"], ["service.on-processor", "strict"]);
    expect(told.find(({ kind }) => kind === "service.on-processor")?.message).toMatch(
      /was given gpu1 and computes on the processor: .*Check that the build has CUDA/,
    );
    await node.kill("strict");
    await node.tells(["service.on-processor", "strict"], ["service.ready", "strict"]);
  });

  it("wrong-flag", async () => {
    await node.calm();
    node.board.plant("strict", { name: "wrong-flag", text: "--flash-attn" });
    await node.kill("strict");
    await node.tells(["service.failed", "strict", /--flash-attn/]);
    const { state, reason = "" } = await node.service("strict");
    expect(state).toBe("failed");
    expect(reason).toMatch(/version|spec/);
    const refused = await node.ask("strict");
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain("--flash-attn");
    await node.api.order("strict", "restart");
    await node.untilState("strict", "ready");
  });

  it("model-not-found", async () => {
    await node.calm();
    node.board.plant("strict", { name: "no-model" });
    await node.kill("strict");
    await node.tells(["service.failed", "strict", /not find|no such file|failed to load|not found/i]);
    expect((await node.story()).filter(({ kind }) => kind === "service.restarting")).toHaveLength(1);
    await node.api.order("strict", "restart");
    await node.untilState("strict", "ready");
  });

  it("port-taken-at-start", async () => {
    await node.calm();
    const { restarts } = await node.service("strict");
    node.board.plant("strict", { name: "port-busy" });
    await node.kill("strict");
    await node.tells(
      ["service.crashed", "strict", /SIGKILL/],
      ["service.crashed", "strict", /could not listen/],
      ["service.ready", "strict"],
    );
    expect((await node.service("strict")).restarts).toBe(restarts + 2);
  });
});
