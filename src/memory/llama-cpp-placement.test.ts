import { describe, expect, it } from "vitest";
import { sparseShape } from "../../test/fakes/sparse-gguf.ts";
import { llama, LLAMA_1B, LLAMA_8B, MIXTRAL } from "../../test/fakes/sparse-models/llama.ts";
import { qwen3 } from "../../test/fakes/sparse-models/qwen3.ts";
import { GIB, MIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { placeByCounts, placeLayers } from "./llama-cpp-placement.ts";
import { placeWeights } from "./llama-cpp-weights.ts";
import { cards, settings } from "./llama-cpp.fixture.ts";

const shape = await sparseShape(llama(LLAMA_8B));
const one = cards([24 * GIB]);

describe("where llama.cpp puts layers", () => {
  it("the head goes to the card first, block 0 last", () => {
    expect(placeLayers(shape, settings({ gpuLayers: 1 }), one)).toMatchObject({ output: 0 });
    expect(placeLayers(shape, settings({ gpuLayers: 1 }), one).layers).toEqual(Array(32).fill("host"));
    const all = placeLayers(shape, settings({ gpuLayers: 32 }), one);
    expect(all.layers.slice(0, 2)).toEqual(["host", 0]);
    expect(placeLayers(shape, settings({ gpuLayers: 33 }), one).layers[0]).toBe(0);
  });

  it("nothing goes to a card that is not there", () => {
    const placement = placeLayers(shape, settings(), []);
    expect(new Set(placement.layers)).toEqual(new Set(["host"]));
    expect(placement.output).toBe("host");
  });

  it("counts as shares give exactly those counts", () => {
    for (const split of [
      [20, 13],
      [1, 32],
      [7, 0, 26],
      [5, 5, 5, 18],
    ]) {
      const devices = cards(split.map(() => GIB));
      const placement = placeLayers(shape, settings({ tensorSplit: split }), devices);
      expect(placement).toEqual(placeByCounts(shape, split));
    }
  });

  it("shares follow free memory when nobody says otherwise", () => {
    const { layers, output } = placeLayers(shape, settings(), cards([30 * GIB, 10 * GIB]));
    expect(layers.filter((place) => place === 0)).toHaveLength(25);
    expect(output).toBe(1);
  });
});

describe("where weights are", () => {
  it("the embedding stays in main memory and a tied head is a second copy on the card", async () => {
    const tied = await sparseShape(qwen3("Q4_K"));
    const { devices, host } = placeWeights(tied, settings(), placeLayers(tied, settings(), one), one.length);
    // llama-fit-params of llama.cpp v0.5.0: RPC0 2254, Host 304 MiB.
    expect(host.embedding / MIB).toBeCloseTo(304.3, 1);
    expect(devices[0]?.output ?? 0).toBeGreaterThanOrEqual(tied.embeddingBytes);
    const onHost = placeWeights(tied, settings(), placeLayers(tied, settings(), []), 0).host;
    expect(onHost.output).toBeLessThan(MIB);
  });

  it("a tied head that is rearranged for the processor is a second copy too", async () => {
    const q4 = await sparseShape(llama({ ...LLAMA_1B, type: "Q4_K" }));
    const weights = (shape: ModelShape): number => llamaCpp.predict(shape, settings(), []).host.weights / MIB;
    // llama-fit-params without cards: Host 141 and CPU_REPACK 662 MiB, both cut to whole ones; with Q8_0, which is left
    // as it is, Host 1252.
    expect(weights(q4)).toBeGreaterThanOrEqual(141 + 662);
    expect(weights(q4)).toBeLessThan(141 + 662 + 2);
    expect(Math.floor(weights(await sparseShape(llama(LLAMA_1B))))).toBe(1252);
  });

  it("experts of the first layers stay in main memory, by number or by name", async () => {
    const mixtral = await sparseShape(llama(MIXTRAL));
    const placement = placeLayers(mixtral, settings(), one);
    const byNumber = placeWeights(mixtral, settings({ cpuExpertLayers: 3 }), placement, 1);
    const byName = placeWeights(
      mixtral,
      settings({ cpuTensors: ["blk\\.[0-2]\\.ffn_(up|down|gate)_exps=CPU"] }),
      placement,
      1,
    );
    expect(byName).toEqual(byNumber);
    expect(byNumber.host.experts).toBe(
      (3 / 32) * (byNumber.host.experts + (byNumber.devices[0]?.experts ?? 0)),
    );
  });
});
