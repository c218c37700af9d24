import { describe, expect, it } from "vitest";
import { parseImageName } from "./image-name.ts";
import { parseChallenge } from "./registry-token.ts";

describe("names of images", () => {
  it.each([
    ["ubuntu", "docker.io", "library/ubuntu", "latest"],
    ["vllm/vllm-openai:v0.13.0", "docker.io", "vllm/vllm-openai", "v0.13.0"],
    ["index.docker.io/library/redis:7", "docker.io", "library/redis", "7"],
    ["ghcr.io/ggml-org/llama.cpp:server-cuda", "ghcr.io", "ggml-org/llama.cpp", "server-cuda"],
    ["192.168.3.10:5000/omni/engine:leviathan", "192.168.3.10:5000", "omni/engine", "leviathan"],
    ["localhost/a", "localhost", "a", "latest"],
    ["[::1]:5000/a/b", "[::1]:5000", "a/b", "latest"],
    [`nvcr.io/nvidia/x:1@sha256:${"a".repeat(64)}`, "nvcr.io", "nvidia/x", `sha256:${"a".repeat(64)}`],
  ])("%s", (text, registry, repository, reference) => {
    expect(parseImageName(text)).toEqual({ registry, repository, reference, text });
  });

  it.each(["", "UPPER", "a//b", "a:b:c", "../etc", "a@sha256:12", "http://x/y", "a b", "x/y:", "-a"])(
    "%j is none",
    (text) => {
      expect(() => parseImageName(text)).toThrow("is no name of an image");
    },
  );
});

describe("challenges of registries", () => {
  it("are read with quotes and without", () => {
    expect(
      parseChallenge('Bearer realm="https://auth.example/token",service=reg, scope="repository:a:pull"'),
    ).toEqual({
      scheme: "bearer",
      parameters: { realm: "https://auth.example/token", service: "reg", scope: "repository:a:pull" },
    });
    expect(parseChallenge("Basic realm=x")?.scheme).toBe("basic");
    expect(parseChallenge("Negotiate")).toBeUndefined();
    expect(parseChallenge(null)).toBeUndefined();
  });
});
