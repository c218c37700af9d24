import { describe, expect, it } from "vitest";
import { blockPool, type LayerKeep } from "./block-pool.ts";

const layers = (count: number, keep: LayerKeep): LayerKeep[] => Array.from({ length: count }, () => keep);
const FULL: LayerKeep = { kind: "full", tokenBytes: 4096 };
const WINDOW: LayerKeep = { kind: "window", tokenBytes: 4096, window: 1024 };

describe("blockPool", () => {
  it("gives layers of one type one page each: a request takes a block for 16 tokens", () => {
    const pool = blockPool(layers(36, FULL), 16, 2048);
    expect(pool.blockBytes).toBe(36 * 16 * 4096);
    expect(pool.perRequest(32_768)).toBe(2048);
    expect(pool.perRequest(32_769)).toBe(2049);
  });

  it("adds up layers that keep different bytes a token", () => {
    const pool = blockPool([...layers(61, { kind: "full", tokenBytes: 1284 })], 64, 2048);
    expect(pool.blockBytes).toBe(61 * 64 * 1284);
    expect(pool.perRequest(1000)).toBe(16);
  });

  it("cuts 40 windows and 8 full layers into six groups of 8; a window holds itself and one step", () => {
    const pool = blockPool([...layers(40, WINDOW), ...layers(8, FULL)], 16, 2048);
    expect(pool.blockBytes).toBe(8 * 16 * 4096);
    // Full: 32 768 / 16. Five groups of windows: (1 023 + 2 048) / 16, rounded up, and one more.
    expect(pool.perRequest(32_768)).toBe(2048 + 5 * (192 + 1));
    expect(pool.perRequest(512)).toBe(32 + 5 * (32 + 1));
  });

  it("pads groups of nearly equal size instead of cutting them to pieces", () => {
    const pool = blockPool([...layers(26, WINDOW), ...layers(22, FULL)], 16, 2048);
    expect(pool.blockBytes).toBe(26 * 16 * 4096);
  });

  it("keeps windows alone, and no more of them than the context", () => {
    const pool = blockPool(layers(32, WINDOW), 16, 2048);
    expect(pool.blockBytes).toBe(32 * 16 * 4096);
    expect(pool.perRequest(1_000_000)).toBe(193);
  });

  it("enlarges pages until a recurrent state fits; a request takes one page of each group of states", () => {
    const state: LayerKeep = { kind: "state", bytes: 1_100_000 };
    const pool = blockPool([...layers(24, state), ...layers(8, FULL)], 16, 2048);
    // 1 100 000 / 65 536 is 16.8, so a page is 17 blocks of 16 tokens.
    expect(pool.blockBytes).toBe(8 * 17 * 16 * 4096);
    expect(pool.perRequest(32_768)).toBe(Math.ceil(32_768 / 272) + 3);
  });

  it("comes to the block of 784 tokens and the tokens that vLLM logged for a 27B hybrid on two cards", () => {
    // A rank: 16 layers of 2 heads of 256, 48 layers with 24 heads of 128 × 128 in f32 and 3 × 5 120 in bf16.
    const attention: LayerKeep = { kind: "full", tokenBytes: 2 * 512 * 2 };
    const state: LayerKeep = { kind: "state", bytes: 24 * 128 * 128 * 4 + 3 * 5120 * 2 };
    const pool = blockPool([...layers(48, state), ...layers(16, attention)], 16, 2048);
    expect(pool.blockBytes).toBe(16 * 784 * 2048);
    const blocks = Math.floor((12.93 * 2 ** 30) / pool.blockBytes);
    const tokens = (blocks / pool.perRequest(262_144)) * 262_144;
    expect(Math.abs(tokens / 415_125 - 1)).toBeLessThan(0.015);
  });

  it("is constant for states alone", () => {
    const pool = blockPool(layers(64, { kind: "state", bytes: 500_000 }), 16, 2048);
    expect(pool.blockBytes).toBe(64 * 500_000);
    expect(pool.perRequest(1_000_000)).toBe(1);
  });
});
