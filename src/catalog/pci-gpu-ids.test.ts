import { expect, it } from "vitest";
import { findGpu, findPciGpu, PCI_GPUS } from "./index.ts";

it("knows the cards of the reference systems by their PCI ids", () => {
  expect(findPciGpu("10de:2b85")?.models).toEqual(["RTX 5090"]);
  for (const id of ["10de:2bb1", "10DE:2BB5"])
    expect(findPciGpu(id)?.models).toEqual(["RTX PRO 6000 Blackwell"]);
  expect(findPciGpu("10de:2206")?.models).toEqual(["RTX 3080"]);
  expect(findPciGpu("10de:ffff")).toBeUndefined();
});

it("every id leads to cards of the catalog, several only where they differ in memory", () => {
  expect(PCI_GPUS.size).toBeGreaterThan(80);
  for (const { id, models } of PCI_GPUS.values()) {
    expect(id).toMatch(/^10de:[0-9a-f]{4}$/);
    const memories = models.map((model) => {
      expect(findGpu(model)?.name, model).toBe(model);
      return findGpu(model)?.memory;
    });
    expect(new Set(memories).size, id).toBe(models.length);
  }
});
