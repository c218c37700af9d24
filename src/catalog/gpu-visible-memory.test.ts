import { describe, expect, it } from "vitest";
import { GIB, MIB } from "../core/index.ts";
import { cudaVisibleBytes, VISIBLE_MEMORY } from "./gpu-visible-memory.ts";
import { findGpu, GPUS } from "./gpus.ts";

describe("cudaVisibleBytes", () => {
  it("is what PyTorch sees where the card is known, for its label and for nvidia-smi's figure", () => {
    const pro = findGpu("RTX PRO 6000");
    expect(cudaVisibleBytes(pro, 96 * GIB) / GIB).toBeCloseTo(94.97, 2);
    expect(cudaVisibleBytes(pro, 97_887 * MIB) / GIB).toBeCloseTo(94.97, 2);
    expect(cudaVisibleBytes(findGpu("RTX 3080"), 10 * GIB) / GIB).toBeCloseTo(9.65, 2);
  });

  it("takes a label in GB for the label of the card", () => {
    expect(cudaVisibleBytes(findGpu("RTX 3080"), 10e9) / GIB).toBeCloseTo(9.65, 2);
    expect(cudaVisibleBytes(findGpu("RTX 3080"), 10_240 * MIB - 1) / GIB).toBeCloseTo(9.65, 2);
    expect(cudaVisibleBytes(findGpu("A30"), 24e9)).toBe(Math.floor(24 * GIB * 0.91));
  });

  it("takes 0.91 of a label and 0.95 of a report for a card that is not known", () => {
    expect(cudaVisibleBytes(undefined, 24 * GIB)).toBe(Math.floor(24 * GIB * 0.91));
    expect(cudaVisibleBytes(undefined, 24_570 * MIB)).toBe(Math.floor(24_570 * MIB * 0.95));
    expect(cudaVisibleBytes(findGpu("RTX 3080"), 12 * GIB)).toBe(Math.floor(12 * GIB * 0.91));
  });

  it("names only cards of the catalog and never more than their label", () => {
    for (const name of VISIBLE_MEMORY.keys()) expect(GPUS.map((gpu) => gpu.name)).toContain(name);
    for (const gpu of GPUS) {
      const visible = cudaVisibleBytes(gpu, gpu.memory);
      expect(visible, gpu.name).toBeLessThan(gpu.memory);
      expect(visible / gpu.memory, gpu.name).toBeGreaterThanOrEqual(0.9);
    }
  });
});
