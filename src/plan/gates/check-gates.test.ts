import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GPUS } from "../../catalog/index.ts";
import type { KvType } from "../../memory/memory-model.ts";
import type { WeightScheme } from "../../models/model-shape.ts";
import { card, input, shape } from "../../../test/fakes/gate-cases.ts";
import { checkGates } from "./check-gates.ts";

describe("all gates", () => {
  it("give the same answer twice, never throw, and every refusal says why and what to do", () => {
    const engine = fc.record({
      kind: fc.constantFrom(
        "vllm",
        "sglang",
        "llama.cpp",
        "tensorrt-llm",
        "triton",
        "kt",
        "openai",
        "something",
      ),
      version: fc.constantFrom("0.9.2", "0.13.0", "24.12", "1.0", "b7710"),
      architectures: fc.array(fc.constantFrom("9.0a", "8.6", "12.0+PTX", "75-virtual"), { maxLength: 2 }),
    });
    const schemes: WeightScheme[] = ["f32", "bf16", "gguf", "w4a16", "fp8", "int8", "nvfp4", "bnb-8bit"];
    const kvTypes: KvType[] = ["f16", "bf16", "fp8", "q8_0", "int8", "nvfp4"];
    fc.assert(
      fc.property(
        engine,
        fc.constantFrom(...GPUS),
        fc.constantFrom(...schemes),
        fc.constantFrom(...kvTypes),
        fc.option(fc.constantFrom("470.1.2", "550.1", "580.95.05", "broken", "")),
        (given, gpu, scheme, kvType, driver) => {
          const asked = input(given, card(gpu.name), {
            shape: shape(scheme),
            kvType,
            ...(driver === null ? {} : { driver }),
          });
          const answer = checkGates(asked);
          expect(checkGates(asked)).toEqual(answer);
          for (const refusal of answer) {
            expect(refusal.reason).toMatch(/gpu-0|a model/);
            expect(refusal.reason).toMatch(/\.$/);
            expect(refusal.hint).toMatch(/\.$/);
            expect(refusal.source.length).toBeGreaterThan(10);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
