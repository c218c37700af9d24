import { expect, test } from "vitest";
import { isBefore, versionOf } from "./engine-version.ts";

test.each([
  ["0.13.0", undefined, [0, 13, 0]],
  ["v0.5.0", undefined, [0, 5, 0]],
  ["b9246", undefined, [0, 0, 9246]],
  ["24.12", "nvcr.io/nvidia/tritonserver:24.12-vllm-python-py3", [24, 12]],
  ["unknown", "ghcr.io/ggml-org/llama.cpp:server-cuda-b9246", [0, 0, 9246]],
  ["unknown", "ghcr.io/ggml-org/llama.cpp:server-cuda12-b9246@sha256:12ab", [0, 0, 9246]],
  ["unknown", "192.168.3.10:5000/omni/llama-cpp:b10509-sm120", [0, 0, 10_509]],
  ["0.12.0", "vllm/vllm-openai:v0.13.0", [0, 13, 0]],
  ["0.12.0", "vllm/vllm-openai:latest", [0, 12, 0]],
  ["unknown", "vllm/vllm-openai:latest", undefined],
  ["unknown", "localhost:5000/omni/engine", undefined],
  ["unknown", "omni/engine:bleeding-edge-v2", undefined],
  ["unknown", "", undefined],
])("%s with image %s is %j", (version, image, numbers) => {
  expect(versionOf(version, image)).toEqual(numbers);
});

test("versions compare number by number, and what is not known is not old", () => {
  expect(isBefore([0, 9, 2], [0, 10])).toBe(true);
  expect(isBefore([0, 10], [0, 10, 0])).toBe(false);
  expect(isBefore([25, 4], [25, 5])).toBe(true);
  expect(isBefore([0, 0, 99_999], [0, 1])).toBe(true);
  expect(isBefore(undefined, [99])).toBe(false);
});
