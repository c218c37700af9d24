import { describe, expect, it } from "vitest";
import { GIB } from "../core/index.ts";
import type { Fit, Wishes } from "./memory-model.ts";
import { memoryModelOf } from "./memory-models.ts";
import { DEEPSEEK_V32, QWEN3_4B } from "./shapes.fixture.ts";

const card = (gib: number): { name: string; total: number; free: number } => ({
  name: "L20",
  total: gib * GIB,
  free: gib * GIB,
});
const fit = (wishes: Wishes, memory: number, cards = [card(44.5)]): Fit =>
  memoryModelOf("ktransformers").fit({
    shape: DEEPSEEK_V32,
    wishes,
    devices: cards,
    host: { free: memory * GIB, threads: 64 },
  });

describe("KTransformers with DeepSeek-V3.2", () => {
  const reference = { hostExperts: "w4a16", contextTokens: 40_000, gpuExperts: 0 } as const;

  it("takes about 27 GB of a card and 350 GB of main memory with INT4 experts and 40 000 tokens", () => {
    const result = fit(reference, 512);
    expect(result).toMatchObject({ fits: true, resident: false });
    if (!result.fits) return;
    const { devices, host, kv } = result.prediction;
    expect(Math.abs((devices[0]?.total ?? 0) / GIB - 27)).toBeLessThan(2.7);
    expect(Math.abs(host.total / 1e9 - 350)).toBeLessThan(17.5);
    expect(kv).toMatchObject({ tokens: 40_000, bytesPerToken: 61 * (576 * 2 + 132) });
  });

  it("fills what a card has left with experts, and no more", () => {
    const result = fit({ hostExperts: "w4a16", contextTokens: 8192 }, 512, [card(94.97)]);
    expect(result.fits).toBe(true);
    if (!result.fits) return;
    const { settings, devices } = result.prediction;
    const oneExpert = 58 * 3 * 7168 * 2048;
    expect(settings.gpuExperts).toBeGreaterThan(10);
    expect(devices[0]?.total).toBeLessThanOrEqual(94.97 * GIB);
    expect((devices[0]?.total ?? 0) + oneExpert).toBeGreaterThan(94.97 * GIB);
  });

  it("refuses main memory that does not hold the experts, and offers INT4", () => {
    expect(fit({}, 400)).toMatchObject({
      fits: false,
      code: "does-not-fit",
      reason: expect.stringMatching(/experts 609\.\d\d GiB\); 400\.00 GiB are free/),
      hint: expect.stringContaining("--kt-method AMXINT4"),
    });
  });

  it("refuses a card too small for the rest, with the arithmetic", () => {
    const result = fit({ ...reference }, 512, [card(15.45)]);
    expect(result).toMatchObject({ fits: false, code: "does-not-fit" });
    if (result.fits) return;
    expect(result.reason).toContain("1 × 40 000 tokens");
    expect(result.reason).toContain("L20 has 15.45 GiB free");
  });

  it("is for models with experts, and keeps them all on the card when asked to", () => {
    const model = memoryModelOf("ktransformers");
    const host = { free: 512 * GIB, threads: 8 };
    expect(model.fit({ shape: QWEN3_4B, wishes: {}, devices: [card(44)], host })).toMatchObject({
      fits: false,
      code: "model.unsupported",
    });
    expect(fit({ ...reference, resident: true }, 512)).toMatchObject({ code: "not-fully-resident" });
  });
});
