import { describe, expect, it } from "vitest";
import { GIB } from "../core/index.ts";
import {
  ENGINE_KINDS,
  findEngineKind,
  findGpu,
  findQuantization,
  GPUS,
  isTalosExtension,
  nearestEngineKind,
  nearestGpu,
  nearestTalosExtension,
  QUANTIZATIONS,
  TALOS_EXTENSIONS,
} from "./index.ts";

describe("the catalog of GPUs", () => {
  it("knows the cards of the reference systems by the names their owners use", () => {
    expect(findGpu("RTX 6000 Blackwell")).toMatchObject({
      memory: 96 * GIB,
      computeCapability: "12.0",
      architecture: "blackwell",
    });
    expect(findGpu("NVIDIA GeForce RTX 5090")).toMatchObject({ memory: 32 * GIB, computeCapability: "12.0" });
    expect(findGpu("rtx-3080")).toMatchObject({ memory: 10 * GIB, computeCapability: "8.6" });
    for (const name of ["RTX 3060", "RTX 3060 Ti", "RTX 3070"])
      expect(findGpu(name)?.architecture).toBe("ampere");
  });

  it("has one card for every name", () => {
    const names = GPUS.flatMap((gpu) => [gpu.name, ...gpu.aliases]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
    for (const gpu of GPUS)
      for (const name of [gpu.name, ...gpu.aliases]) expect(findGpu(name), name).toBe(gpu);
  });

  it("names the nearest to a slip, and nothing for nonsense", () => {
    expect(nearestGpu("RTX 5009")).toBe("RTX 5090");
    expect(nearestGpu("RTX 4090TI")).toBe("RTX 4090");
    expect(nearestGpu("a toaster with wheels")).toBeUndefined();
  });
});

describe("the catalog of engines", () => {
  it("knows kinds and their aliases", () => {
    expect(findEngineKind("llama-server")?.name).toBe("llama.cpp");
    expect(findEngineKind("VLLM")?.name).toBe("vllm");
    expect(nearestEngineKind("vlmm")).toBe("vllm");
    const names = ENGINE_KINDS.flatMap((kind) => [kind.name, ...kind.aliases]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the catalog of Talos extensions", () => {
  it("knows the five of omni-prime, and old names", () => {
    for (const name of [
      "amd-ucode",
      "nvidia-container-toolkit-production",
      "nonfree-kmod-nvidia-production",
      "qemu-guest-agent",
      "util-linux-tools",
      "nvidia-container-toolkit",
    ]) {
      expect(isTalosExtension(`siderolabs/${name}`), name).toBe(true);
    }
    expect(isTalosExtension("qemu-guest-agent")).toBe(false);
    expect(nearestTalosExtension("qemu-guest-agnt")).toBe("siderolabs/qemu-guest-agent");
    expect(new Set(TALOS_EXTENSIONS.names).size).toBe(TALOS_EXTENSIONS.names.length);
  });
});

describe("the catalog of quantizations", () => {
  it("knows names in any case and mixtures by their type", () => {
    expect(findQuantization("q4_k_m")?.formats).toEqual(["gguf"]);
    expect(findQuantization("bf16")?.formats).toContain("safetensors");
    expect(findQuantization("UD-IQ1_S")?.bits).toBe(1.5625);
    expect(findQuantization("Q4_K_N")).toBeUndefined();
    expect(new Set(QUANTIZATIONS.list.map((q) => q.name.toLowerCase())).size).toBe(QUANTIZATIONS.list.length);
  });
});
