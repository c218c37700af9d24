import { describe, expect, it } from "vitest";
import { card, codes, device, input, shape, SPARSE } from "../../../test/fakes/gate-cases.ts";
import type { Engine } from "../../../test/fakes/gate-cases.ts";
import { checkGates } from "./check-gates.ts";

describe("gate 3: attention backend", () => {
  const v32 = shape("fp8", { architecture: "deepseek_v32", cache: SPARSE });
  const v3 = shape("fp8", {
    architecture: "deepseek_v3",
    cache: { kind: "latent", rank: 512, rope: 64, indexer: 0 },
  });

  it.each([
    ["vllm", "9.0", "bf16", true],
    ["vllm", "10.0", "bf16", true],
    ["vllm", "12.0", "bf16", false],
    ["vllm", "8.9", "bf16", false],
    ["triton-vllm", "12.0", "bf16", false],
    ["sglang", "12.0", "bf16", true],
    ["sglang", "12.0", "fp8", false],
    ["sglang", "9.0", "fp8", true],
    ["ktransformers", "12.0", "bf16", true],
  ] as const)("sparse latent attention in %s on %s with a cache of %s: %s", (kind, on, kvType, runs) => {
    expect(codes(input({ kind }, device(on), { shape: v32, kvType }))).toEqual(
      runs ? [] : ["attention-unsupported"],
    );
    expect(codes(input({ kind }, device(on), { shape: v3, kvType: "bf16" }))).toEqual([]);
  });

  it("names the card, the limit and the engines that can", () => {
    const [refusal] = checkGates(input({ kind: "vllm" }, card("RTX 5090"), { shape: v32, kvType: "bf16" }));
    expect(refusal?.reason).toContain(
      "gpu-0 (RTX 5090) is compute capability 12.0; a model uses sparse latent attention",
    );
    expect(refusal?.hint).toContain("SGLang (BF16 KV cache), llama.cpp or KTransformers");
    expect(refusal?.source).toContain("31936");
  });

  it.each([
    ["8.6", [], false],
    ["8.0", [], false],
    ["8.6", ["--attention-backend", "FLASHINFER"], true],
    ["8.9", [], true],
    ["9.0", [], true],
    ["12.0", [], true],
  ])("an FP8 cache in vLLM on %s with arguments %j: %s", (on, given, runs) => {
    const engine: Engine = { kind: "vllm", arguments: [...given] };
    expect(codes(input(engine, device(on), { kvType: "fp8" }))).toEqual(
      runs ? [] : ["attention-unsupported"],
    );
  });

  it.each([
    ["llama.cpp", "q8_0", "8.6", true],
    ["llama.cpp", "q8_0", "6.1", true],
    ["llama.cpp", "q4_0", "5.2", false],
    ["llama.cpp", "iq4_nl", "7.2", false],
    ["embedded", "f16", "5.2", true],
    ["llama.cpp", "fp8", "12.0", false],
    ["vllm", "q8_0", "12.0", false],
    ["sglang", "q4_0", "9.0", false],
    ["comfyui", "q4_0", "9.0", true],
  ] as const)("%s with a cache of %s on %s: %s", (kind, kvType, on, runs) => {
    expect(codes(input({ kind }, device(on), { kvType }))).toEqual(runs ? [] : ["attention-unsupported"]);
  });
});
