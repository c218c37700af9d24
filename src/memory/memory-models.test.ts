import { describe, expect, it } from "vitest";
import { ENGINE_KINDS } from "../catalog/index.ts";
import { GIB } from "../core/index.ts";
import type { FitRequest } from "./memory-model.ts";
import { memoryModelOf } from "./memory-models.ts";

const card = { name: "rtx5090", total: 31.36 * GIB, free: 30 * GIB };
const request = (rest: Partial<FitRequest>): FitRequest => ({
  shape: undefined,
  wishes: {},
  devices: [card],
  host: { free: 64 * GIB, threads: 8 },
  ...rest,
});

describe("memoryModelOf", () => {
  it("knows every kind of engine of the catalog and no other", () => {
    for (const { name } of ENGINE_KINDS) expect(memoryModelOf(name)).toHaveProperty("fit");
    expect(() => memoryModelOf("vlm")).toThrow("no memory model is known for engine kind vlm");
  });
});

describe("ComfyUI", () => {
  const comfyui = memoryModelOf("comfyui");

  it("takes what is declared, of its first card", () => {
    const declared = { vram: 24 * GIB, memory: 8 * GIB };
    const result = comfyui.fit(request({ wishes: { declared }, devices: [card, card] }));
    expect(result).toMatchObject({ fits: true });
    if (!result.fits) return;
    expect(result.prediction.devices.map((device) => device.total)).toEqual([24 * GIB, 0]);
    expect(result.prediction.host.total).toBe(8 * GIB);
  });

  it("guesses nothing", () => {
    expect(comfyui.fit(request({}))).toMatchObject({ fits: false, code: "plan.needs-declaration" });
    expect(comfyui.fit(request({ wishes: { declared: { memory: GIB } } }))).toMatchObject({
      code: "plan.needs-declaration",
    });
  });

  it("refuses what its card or main memory cannot give", () => {
    expect(comfyui.fit(request({ wishes: { declared: { vram: 32 * GIB } } }))).toMatchObject({
      code: "does-not-fit",
      reason: "ComfyUI takes 32.00 GiB as declared; rtx5090 can give 30.00 GiB of 31.36 GiB",
    });
    expect(comfyui.fit(request({ wishes: { declared: { vram: GIB, memory: 65 * GIB } } }))).toMatchObject({
      code: "does-not-fit",
      reason: expect.stringContaining("65.00 GiB of main memory"),
    });
    expect(comfyui.fit(request({ wishes: { declared: { vram: GIB } }, devices: [] }))).toMatchObject({
      code: "plan.no-device",
    });
  });

  it("runs on the processor with main memory alone", () => {
    const result = comfyui.fit(request({ wishes: { declared: { memory: 12 * GIB } }, devices: [] }));
    expect(result).toMatchObject({ fits: true, prediction: { host: { total: 12 * GIB }, devices: [] } });
  });
});

describe("a remote engine", () => {
  it("takes nothing of this machine and keeps what was wished", () => {
    const result = memoryModelOf("openai").fit(request({ wishes: { contextTokens: 200_000, parallel: 8 } }));
    expect(result).toMatchObject({
      fits: true,
      prediction: {
        host: { total: 0 },
        devices: [{ total: 0 }],
        settings: { contextTokens: 200_000, parallel: 8 },
      },
    });
  });
});
