import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GPUS } from "../../catalog/index.ts";
import type { KvType } from "../../memory/memory-model.ts";
import type { LayerCache, ModelShape, WeightScheme } from "../../models/model-shape.ts";
import { checkGates } from "./check-gates.ts";
import type { GateInput } from "./gate.ts";
import { noteQuantization } from "./quantization-kernels.ts";

type Engine = GateInput["engine"];

function card(model: string): GateInput["card"] {
  const known = GPUS.find((gpu) => gpu.name === model);
  if (known === undefined) throw new Error(`no card ${model}`);
  return { name: "gpu-0", model, computeCapability: known.computeCapability };
}

const device = (computeCapability: string): GateInput["card"] => ({
  name: "gpu-0",
  model: "Some card",
  computeCapability,
});

const ATTENTION: LayerCache = { kind: "full", kvHeads: 8, keyLength: 128, valueLength: 128 };
const SPARSE: LayerCache = { kind: "latent", rank: 512, rope: 64, indexer: 128 };

function shape(
  scheme: WeightScheme,
  rest: { readonly architecture?: string; readonly cache?: LayerCache } = {},
): ModelShape {
  return {
    name: "a model",
    architecture: rest.architecture ?? "llama",
    format: scheme === "gguf" ? "gguf" : "safetensors",
    origin: "spec",
    parameters: 8e9,
    expertParameters: 0,
    weightBytes: 16e9,
    fileBytes: 16e9,
    quantization: { scheme, name: scheme.toUpperCase(), bitsPerWeight: 16 },
    embeddingBytes: 1e9,
    outputBytes: 1e9,
    tiedEmbeddings: false,
    otherBytes: 0,
    layers: [{ weights: { attention: 1, feedForward: 1, experts: 0 }, caches: [rest.cache ?? ATTENTION] }],
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    headLength: 128,
    feedForward: 14_336,
    vocabulary: 128_256,
    trainedContext: 131_072,
    projectorBytes: 0,
  };
}

const input = (
  engine: Engine,
  on: GateInput["card"],
  rest: { readonly shape?: ModelShape; readonly kvType?: KvType; readonly driver?: string } = {},
): GateInput => ({
  engine,
  card: on,
  shape: rest.shape,
  kvType: rest.kvType ?? "f16",
  ...(rest.driver === undefined ? {} : { driver: rest.driver }),
});

const codes = (given: GateInput): string[] => checkGates(given).map((refusal) => refusal.code);

describe("gate 1: compiled architectures", () => {
  const BLACKWELL = card("RTX PRO 6000 Blackwell");

  it("refuses an engine built for Hopper and B200 on a workstation Blackwell, and names what to build", () => {
    const engine: Engine = { kind: "ktransformers", build: { cudaArchitectures: ["9.0a", "10.0"] } };
    for (const on of [card("RTX 5090"), BLACKWELL]) {
      const [refusal] = checkGates(input(engine, on));
      expect(refusal?.code).toBe("arch-not-compiled");
      expect(refusal?.reason).toContain(
        "is compute capability 12.0; its build (cudaArchitectures) carries sm_90a, sm_100",
      );
      expect(refusal?.hint).toBe('Build it with cudaArchitectures: ["12.0"].');
      expect(refusal?.source).toBe("NVIDIA Blackwell Compatibility Guide");
    }
    expect(codes(input(engine, card("H200")))).toEqual([]);
    expect(codes(input(engine, card("B300")))).toEqual([]);
    expect(codes(input({ ...engine, build: { cudaArchitectures: ["12.0+PTX"] } }, BLACKWELL))).toEqual([]);
  });

  it.each<readonly [Engine, string, boolean]>([
    [{ kind: "vllm", version: "0.13.0", image: "vllm/vllm-openai:latest" }, "RTX PRO 6000 Blackwell", true],
    [{ kind: "vllm", image: "vllm/vllm-openai:v0.13.0" }, "RTX 5090", true],
    [{ kind: "vllm", image: "docker.io/vllm/vllm-openai:v0.9.2" }, "RTX 5090", false],
    [{ kind: "vllm", image: "vllm/vllm-openai:v0.9.2" }, "B200", false],
    [{ kind: "vllm", version: "0.9.1" }, "RTX 4090", true],
    [{ kind: "vllm", version: "0.30.0" }, "T4", true],
    [{ kind: "vllm", image: "vllm/vllm-openai:latest" }, "RTX 5090", true],
    [{ kind: "vllm", version: "0.11.0" }, "RTX 5090", true],
    [{ kind: "vllm", version: "0.9.2", image: "registry.lan:5000/my/vllm:1" }, "RTX 5090", true],
    [{ kind: "kt", image: "approachingai/ktransformers:v0.4.3" }, "RTX 5090", false],
    [{ kind: "kt", image: "approachingai/ktransformers:v0.4.3" }, "RTX 3080", true],
    [{ kind: "ktransformers", version: "0.7.0" }, "RTX 5090", true],
    [
      { kind: "triton-vllm", version: "24.12", image: "nvcr.io/nvidia/tritonserver:24.12-vllm-python-py3" },
      "RTX 3080",
      true,
    ],
    [{ kind: "triton", image: "nvcr.io/nvidia/tritonserver:24.12-vllm-python-py3" }, "RTX 5090", false],
    [{ kind: "triton", image: "nvcr.io/nvidia/tritonserver:25.01-vllm-python-py3" }, "RTX 5090", true],
    [{ kind: "sglang", image: "lmsysorg/sglang:v0.5.5" }, "T4", false],
    [{ kind: "llama.cpp", image: "ghcr.io/ggml-org/llama.cpp:server-cuda" }, "GB10", true],
    [{ kind: "llama.cpp", architectures: ["12.0"] }, "GB10", true],
    [{ kind: "llama.cpp", build: { cudaArchitectures: ["120"] } }, "RTX 5090", true],
    [{ kind: "llama.cpp", build: { flags: { CMAKE_CUDA_ARCHITECTURES: "120" } } }, "GB10", false],
    [{ kind: "llama.cpp", build: { flags: { CMAKE_CUDA_ARCHITECTURES: 89 } } }, "RTX 5090", true],
    [{ kind: "llama.cpp", build: { flags: { CMAKE_CUDA_ARCHITECTURES: "89-real" } } }, "RTX 5090", false],
    [{ kind: "llama.cpp", build: { flags: { CMAKE_CUDA_ARCHITECTURES: "native" } } }, "RTX 5090", true],
    [{ kind: "vllm", build: { environment: { TORCH_CUDA_ARCH_LIST: "8.0 9.0a" } } }, "RTX 5090", false],
    [{ kind: "vllm" }, "RTX 5090", true],
  ])("%j on %s runs: %s", (engine, model, runs) => {
    expect(codes(input(engine, card(model)))).toEqual(runs ? [] : ["arch-not-compiled"]);
  });

  it("believes the engine's own list before its build, and its build before its release", () => {
    const engine: Engine = { kind: "vllm", version: "0.13.0", build: { cudaArchitectures: ["8.6"] } };
    expect(codes(input(engine, BLACKWELL))).toEqual(["arch-not-compiled"]);
    expect(codes(input({ ...engine, architectures: ["12.0"] }, BLACKWELL))).toEqual([]);
  });

  it("agrees with the rule read entry by entry, for any list and card", () => {
    const versions = ["7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0", "12.1"] as const;
    const entry = fc.tuple(fc.constantFrom(...versions), fc.constantFrom("", "a", "f"), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...versions),
        (list, on) => {
          const [major, minor] = on.split(".").map(Number);
          const allowed = list.some(([version, suffix, ptx]) => {
            const [m, n] = version.split(".").map(Number);
            if (version === on) return true;
            if (suffix === "a" || m === undefined || n === undefined) return false;
            const sameMajor = m === major && n <= (minor ?? 0);
            return sameMajor || (ptx && suffix === "" && m < (major ?? 0));
          });
          const architectures = list.map(
            ([version, suffix, ptx]) => `${version}${suffix}${ptx ? "+PTX" : ""}`,
          );
          const engine: Engine = { kind: "sglang", architectures };
          expect(codes(input(engine, device(on)))).toEqual(allowed ? [] : ["arch-not-compiled"]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("asks for a driver that speaks the engine's CUDA, except where the compatibility package helps", () => {
    const engine: Engine = { kind: "triton", image: "nvcr.io/nvidia/tritonserver:25.01-vllm-python-py3" };
    const [refusal] = checkGates(input(engine, card("RTX 4090"), { driver: "470.57.02" }));
    expect(refusal).toMatchObject({ code: "arch-not-compiled", hint: "Install driver 525 or later." });
    expect(refusal?.reason).toContain("has driver 470.57.02; code for it comes from CUDA 12.8");
    expect(codes(input(engine, card("A100 80GB"), { driver: "470.57.02" }))).toEqual([]);
    expect(codes(input(engine, card("RTX 4090"), { driver: "580.95.05" }))).toEqual([]);
    expect(codes(input(engine, card("RTX 4090"), { driver: "[N/A]" }))).toEqual([]);
    expect(codes(input({ kind: "llama.cpp" }, card("RTX 5090"), { driver: "470.1" }))).toEqual([
      "arch-not-compiled",
    ]);
  });
});

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
    ["nvfp4", "no yes yes yes yes yes yes"],
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

describe("all gates", () => {
  it("give the same answer twice, never throw, and every refusal says why and what to do", () => {
    const engine = fc.record({
      kind: fc.constantFrom(
        "vllm",
        "sglang",
        "llama.cpp",
        "tensorrt-llm",
        "triton",
        "kt",
        "openai",
        "something",
      ),
      version: fc.constantFrom("0.9.2", "0.13.0", "24.12", "1.0", "b7710"),
      architectures: fc.array(fc.constantFrom("9.0a", "8.6", "12.0+PTX", "75-virtual"), { maxLength: 2 }),
    });
    const schemes: WeightScheme[] = ["f32", "bf16", "gguf", "w4a16", "fp8", "int8", "nvfp4", "bnb-8bit"];
    const kvTypes: KvType[] = ["f16", "bf16", "fp8", "q8_0", "int8", "nvfp4"];
    fc.assert(
      fc.property(
        engine,
        fc.constantFrom(...GPUS),
        fc.constantFrom(...schemes),
        fc.constantFrom(...kvTypes),
        fc.option(fc.constantFrom("470.1.2", "550.1", "580.95.05", "broken", "")),
        (given, gpu, scheme, kvType, driver) => {
          const asked = input(given, card(gpu.name), {
            shape: shape(scheme),
            kvType,
            ...(driver === null ? {} : { driver }),
          });
          const answer = checkGates(asked);
          expect(checkGates(asked)).toEqual(answer);
          for (const refusal of answer) {
            expect(refusal.reason).toMatch(/gpu-0|a model/);
            expect(refusal.reason).toMatch(/\.$/);
            expect(refusal.hint).toMatch(/\.$/);
            expect(refusal.source.length).toBeGreaterThan(10);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
