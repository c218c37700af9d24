import { describe, expect, it } from "vitest";
import type { WeightScheme } from "../../models/model-shape.ts";
import { card, codes, device, input, shape } from "../../../test/fakes/gate-cases.ts";
import type { Engine } from "../../../test/fakes/gate-cases.ts";
import { checkGates } from "./check-gates.ts";
import { noteQuantization } from "./quantization-kernels.ts";

describe("gate 2: quantization kernels", () => {
  const refusesIn = (engine: Engine, scheme: WeightScheme, on: string): boolean =>
    codes(input(engine, device(on), { shape: shape(scheme) })).includes("quantization-unsupported");

  it.each<readonly [WeightScheme, string]>([
    ["bf16", "no yes yes yes yes yes yes"],
    ["f16", "yes yes yes yes yes yes yes"],
    ["w4a16-awq", "yes yes yes yes yes yes yes"],
    ["w4a16-gptq", "yes yes yes yes yes yes yes"],
    ["w4a16", "yes yes yes yes yes yes yes"],
    ["fp8", "yes yes yes yes yes yes yes"],
    ["int8", "yes yes yes yes yes no no"],
    ["nvfp4", "yes yes yes yes yes yes yes"],
    ["mxfp4", "no yes yes yes yes yes yes"],
    ["bnb-4bit", "yes yes yes yes yes yes yes"],
  ])("vLLM serves %s on 7.5, 8.0, 8.6, 8.9, 9.0, 10.0, 12.0: %s", (scheme, answers) => {
    const capabilities = ["7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0"];
    const actual = capabilities.map((on) => (refusesIn({ kind: "vllm" }, scheme, on) ? "no" : "yes"));
    expect(actual.join(" ")).toBe(answers);
    expect(capabilities.map((on) => (refusesIn({ kind: "triton" }, scheme, on) ? "no" : "yes"))).toEqual(
      actual,
    );
  });

  it.each<readonly [WeightScheme, string, string | undefined]>([
    [
      "fp8",
      "8.6",
      "FP8 runs weight-only on Some card (8.6): Marlin kernels unpack to 16 bits; native arithmetic begins at 8.9.",
    ],
    ["fp8", "8.9", undefined],
    [
      "nvfp4",
      "9.0",
      "NVFP4 runs weight-only on Some card (9.0): Marlin kernels unpack to 16 bits; native arithmetic begins at 10.0.",
    ],
    ["mxfp4", "12.0", undefined],
    ["mxfp4", "7.5", undefined],
    ["w4a16", "8.6", undefined],
  ])("says of %s on %s: %s", (scheme, on, text) => {
    expect(noteQuantization(input({ kind: "vllm" }, device(on), { shape: shape(scheme) }))?.text).toBe(text);
  });

  it("vLLM before Marlin knew Turing refuses FP8 and NVFP4 there", () => {
    for (const scheme of ["fp8", "nvfp4"] as const) {
      expect(refusesIn({ kind: "vllm", version: "0.12.0" }, scheme, "7.5")).toBe(true);
      expect(refusesIn({ kind: "vllm", version: "0.12.0" }, scheme, "8.0")).toBe(false);
      expect(refusesIn({ kind: "vllm", version: "0.30.0" }, scheme, "7.5")).toBe(false);
    }
  });

  it("TensorRT-LLM has FP8 from Ada and FP4 from Blackwell on", () => {
    expect(refusesIn({ kind: "tensorrt-llm" }, "fp8", "8.6")).toBe(true);
    expect(refusesIn({ kind: "tensorrt-llm" }, "fp8", "8.9")).toBe(false);
    expect(refusesIn({ kind: "trtllm" }, "nvfp4", "9.0")).toBe(true);
    expect(refusesIn({ kind: "trtllm" }, "nvfp4", "10.0")).toBe(false);
  });

  it("says what is needed, what is there and what to do", () => {
    const [refusal] = checkGates(input({ kind: "vllm" }, card("T4"), { shape: shape("bf16") }));
    expect(refusal?.reason).toBe("BF16 in vllm needs compute capability 8.0 or later; gpu-0 (T4) is 7.5.");
    expect(refusal?.hint).toContain("--dtype half");
  });

  it("GGUF is for llama.cpp and KTransformers", () => {
    const gguf = shape("gguf", { architecture: "deepseek2" });
    for (const kind of ["vllm", "triton", "sglang", "tensorrt-llm"])
      expect(codes(input({ kind }, card("H200"), { shape: gguf })), kind).toEqual(["gguf-in-vllm"]);
    for (const kind of ["llama.cpp", "embedded", "ktransformers"])
      expect(codes(input({ kind }, card("RTX 5090"), { shape: gguf })), kind).toEqual([]);
    const [refusal] = checkGates(input({ kind: "vllm" }, card("RTX 5090"), { shape: gguf }));
    expect(refusal?.reason).toContain("GGUF model with architecture deepseek2 is not supported yet");
  });

  it("llama.cpp does not read safetensors, and computes any type on any card", () => {
    expect(codes(input({ kind: "llama.cpp" }, card("RTX 5090"), { shape: shape("bf16") }))).toEqual([
      "quantization-unsupported",
    ]);
    expect(codes(input({ kind: "llama.cpp" }, device("6.1"), { shape: shape("gguf") }))).toEqual([]);
  });
});
