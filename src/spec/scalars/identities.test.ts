import { describe, expect, it } from "vitest";
import type { z } from "zod";
import {
  cpuSet,
  cudaArchitecture,
  gpuUuid,
  host,
  image,
  labelName,
  pciAddress,
  pciId,
  url,
} from "./identities.ts";

const read = (schema: z.ZodType, typed: unknown): unknown => {
  const result = schema.safeParse(typed);
  return result.success ? result.data : "refused";
};

describe("identities", () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    ["a PCI address without its domain", pciAddress(), "F1:00", "0000:f1:00"],
    ["a PCI function", pciAddress(), "0000:11:00.1", "0000:11:00.1"],
    ["a function that cannot be", pciAddress(), "0000:11:00.8", "refused"],
    ["a PCI id", pciId(), "10DE:2BB1", "10de:2bb1"],
    [
      "a GPU's UUID",
      gpuUuid(),
      "gpu-F4F210C1-5a52-7267-979e-fe922961190a",
      "GPU-f4f210c1-5a52-7267-979e-fe922961190a",
    ],
    ["a UUID without its prefix", gpuUuid(), "f4f210c1-5a52-7267-979e-fe922961190a", "refused"],
    ["CPUs", cpuSet(), "0-23, 48-71", "0-23,48-71"],
    ["CPUs backwards", cpuSet(), "23-0", "refused"],
    ["a CUDA architecture of PyTorch", cudaArchitecture(), "12.0+PTX", "12.0+PTX"],
    ["a CUDA architecture of CMake", cudaArchitecture(), "120a-real", "120a-real"],
    ["a CUDA architecture that is none", cudaArchitecture(), "blackwell", "refused"],
    ["a host", host(), "talos-node-0", "talos-node-0"],
    ["an IPv6 address", host(), "fd00::1", "fd00::1"],
    ["an address of five parts", host(), "1.2.3.4.5", "refused"],
    ["an address out of range", host(), "192.168.3.256", "refused"],
    [
      "an image of a local registry",
      image(),
      "192.168.3.10:5000/omni/engine:v2",
      "192.168.3.10:5000/omni/engine:v2",
    ],
    ["an image by digest", image(), `a/b@sha256:${"0".repeat(64)}`, `a/b@sha256:${"0".repeat(64)}`],
    ["an image in capitals", image(), "vllm/VLLM", "refused"],
    ["a URL of another scheme", url(["https"], "https://x"), "ftp://x", "refused"],
    ["a name of 64 letters", labelName(), "a".repeat(64), "refused"],
  ])("%s", (_, schema, typed, expected) => {
    expect(read(schema, typed)).toEqual(expected);
  });
});
