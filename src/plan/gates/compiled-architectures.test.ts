import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { card, codes, device, input } from "../../../test/fakes/gate-cases.ts";
import type { Engine } from "../../../test/fakes/gate-cases.ts";
import { checkGates } from "./check-gates.ts";

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
    expect(refusal?.reason).toContain(
      "has driver 470.57.02; nvcr.io/nvidia/tritonserver:25.01-vllm-python-py3 is built with CUDA 12.8",
    );
    expect(codes(input(engine, card("A100 80GB"), { driver: "470.57.02" }))).toEqual([]);
    expect(codes(input(engine, card("RTX 4090"), { driver: "580.95.05" }))).toEqual([]);
    expect(codes(input(engine, card("RTX 4090"), { driver: "[N/A]" }))).toEqual([]);
    const cuda13: Engine = { kind: "vllm", image: "vllm/vllm-openai:v0.30.0" };
    expect(codes(input(cuda13, card("RTX 4090"), { driver: "550.54.14" }))).toEqual(["arch-not-compiled"]);
    const cuda12: Engine = { kind: "vllm", image: "vllm/vllm-openai:v0.30.0-cu129" };
    expect(codes(input(cuda12, card("RTX 4090"), { driver: "550.54.14" }))).toEqual([]);
    expect(codes(input({ kind: "llama.cpp" }, card("RTX 5090"), { driver: "470.1" }))).toEqual([
      "arch-not-compiled",
    ]);
  });
});
