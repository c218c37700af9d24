import { describe, expect, it } from "vitest";
import { parseCudaArchitectureList } from "../core/index.ts";
import { ENGINE_RELEASES, findEngineKind, findEngineRelease, isOlderThan } from "./index.ts";

describe("releases of engines", () => {
  it("are of known kinds, with lists that are read and a source", () => {
    for (const release of ENGINE_RELEASES) {
      expect(findEngineKind(release.kind)?.name).toBe(release.kind);
      expect(parseCudaArchitectureList(release.architectures.join(" ")), release.source).toBeDefined();
      expect(release.date).toMatch(/^20\d\d-\d\d-\d\d$/);
      expect(release.source.length).toBeGreaterThan(15);
    }
  });

  it("have ranges that follow one another without overlap", () => {
    const number = (version: string): number => {
      const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
      return major * 1e6 + minor * 1e3 + patch;
    };
    for (const kind of new Set(ENGINE_RELEASES.map((release) => release.kind))) {
      const ranges = ENGINE_RELEASES.filter((release) => release.kind === kind);
      for (const [index, range] of ranges.slice(1).entries()) {
        const end = number(ranges[index]?.before ?? "999.0");
        expect(end, `${kind} ${range.from ?? ""}`).toBeLessThanOrEqual(number(range.from ?? "0.0"));
      }
    }
  });

  it.each([
    ["vllm", "0.13.0", undefined, "12.0"],
    ["vllm", undefined, "vllm/vllm-openai:v0.13.0", "12.0"],
    ["vllm", undefined, "docker.io/vllm/vllm-openai:v0.30.0@sha256:00", "11.0"],
    ["vllm", "0.13.0", "vllm/vllm-openai:latest", "12.0"],
    ["vllm", "0.9.2", undefined, "8.9"],
    ["ktransformers", undefined, "approachingai/ktransformers:v0.4.3", "7.5"],
    ["triton-vllm", undefined, "nvcr.io/nvidia/tritonserver:25.01-vllm-python-py3", "10.0"],
    ["llama.cpp", undefined, "ghcr.io/ggml-org/llama.cpp:server-cuda", "sm_120a"],
    ["embedded", undefined, undefined, "sm_121a"],
  ])("%s %s %s carries %s", (kind, version, image, architecture) => {
    expect(findEngineRelease(kind, version, image)?.architectures).toContain(architecture);
  });

  it.each([
    ["vllm", undefined, undefined],
    ["vllm", "0.11.0", undefined],
    ["vllm", "0.13.0", "registry.lan:5000/vllm/vllm-openai:v0.13.0"],
    ["vllm", undefined, "vllm/vllm-openai:latest"],
    ["llama.cpp", "b7710", undefined],
    ["llama.cpp", undefined, "ghcr.io/ggml-org/llama.cpp:server"],
    ["openai", "1.0", undefined],
  ])("%s %s %s is not known", (kind, version, image) => {
    expect(findEngineRelease(kind, version, image)).toBeUndefined();
  });

  it("reads the CUDA of a variant from its tag", () => {
    expect(findEngineRelease("vllm", undefined, "vllm/vllm-openai:v0.30.0")?.cuda).toBe("13.0");
    expect(findEngineRelease("vllm", undefined, "vllm/vllm-openai:v0.30.0-cu129")?.cuda).toBe("12.9");
    expect(findEngineRelease("sglang", "0.5.5", "lmsysorg/sglang:latest-cu130")?.cuda).toBe("13.0");
  });

  it("tells an older engine by tag before version, and nothing of one without either", () => {
    expect(isOlderThan("0.13.0", "0.12.9")).toBe(true);
    expect(isOlderThan("0.13.0", "0.12.0", "vllm/vllm-openai:v0.13.0")).toBe(false);
    expect(isOlderThan("0.13.0", undefined, "vllm/vllm-openai:latest")).toBe(false);
  });

  it("knows the size of an image that filled a disk", () => {
    expect(findEngineRelease("ktransformers", "0.4.3")?.imageBytes).toBe(21e9);
    expect(findEngineRelease("vllm", "0.9.2")?.architectures).not.toContain("12.0");
  });
});
