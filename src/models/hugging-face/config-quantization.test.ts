import { describe, expect, it } from "vitest";
import { configQuantization } from "./config-quantization.ts";

const group = (num_bits: number, type: string, input_activations: unknown = null): object => ({
  config_groups: { group_0: { weights: { num_bits, type }, input_activations } },
});
const name = (config: unknown): string | undefined => configQuantization(config)?.name;

describe("quantization_config", () => {
  it.each([
    [{ quant_method: "gptq", bits: 8 }, "w8a16", "GPTQ-Int8"],
    [{ quant_method: "awq", bits: 4 }, "w4a16-awq", "AWQ"],
    [{ quant_method: "mxfp4" }, "mxfp4", "MXFP4"],
    [{ quant_method: "bitsandbytes", load_in_8bit: true }, "bnb-8bit", "BNB-8BIT"],
    [{ quant_method: "compressed-tensors", format: "int-quantized", ...group(8, "int", {}) }, "int8", "W8A8"],
    [{ quant_method: "compressed-tensors", format: "pack-quantized", ...group(8, "int") }, "w8a16", "W8A16"],
    [
      { quant_method: "compressed-tensors", format: "float-quantized", ...group(8, "float", {}) },
      "fp8",
      "FP8",
    ],
    [
      { quant_method: "compressed-tensors", format: "nvfp4-pack-quantized", ...group(4, "float") },
      "nvfp4",
      "NVFP4",
    ],
    [
      { quant_method: "compressed-tensors", format: "mxfp4-pack-quantized", ...group(4, "float") },
      "mxfp4",
      "MXFP4",
    ],
    [{ quant_algo: "NVFP4", kv_cache_quant_algo: "FP8" }, "nvfp4", "NVFP4"],
  ])("%j is %s", (config, scheme, shown) => {
    expect(configQuantization(config)).toMatchObject({ scheme, name: shown });
  });

  it("of mixed precisions takes its name from the narrowest", () => {
    const layers = {
      "model.layers.0.mlp.up_proj": { quant_algo: "W4A16_NVFP4" },
      other: { quant_algo: "FP8" },
    };
    expect(name({ quant_method: "modelopt", quant_algo: "MIXED_PRECISION", quantized_layers: layers })).toBe(
      "NVFP4",
    );
    const groups = {
      a: { weights: { num_bits: 8, type: "float" } },
      b: { format: "pack-quantized", weights: { num_bits: 4, type: "int" } },
    };
    expect(
      name({ quant_method: "compressed-tensors", format: "mixed-precision", config_groups: groups }),
    ).toBe("W4A16");
  });

  it("that is none, or one nobody knows, is left to the tensors", () => {
    for (const config of [
      undefined,
      null,
      [],
      "fp8",
      {},
      { quant_method: "of-tomorrow" },
      { quant_method: 4 },
    ])
      expect(configQuantization(config)).toBeUndefined();
  });
});
