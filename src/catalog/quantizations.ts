import type { Sourced } from "./fact.ts";

/** How weights are stored, by the names that files and engines use. */
export interface Quantization {
  readonly name: string;
  readonly formats: readonly ("gguf" | "safetensors")[];
  /** Bits a weight on average, scales included; a whole file differs by its mixture of types. */
  readonly bits: number;
}

const gguf = (name: string, bits: number): Quantization => ({ name, formats: ["gguf"], bits });
const tensors = (name: string, bits: number): Quantization => ({ name, formats: ["safetensors"], bits });

/** Bits of a block type are exact (bytes of a block × 8 / weights of a block); K mixtures are what llama.cpp's quantize prints for 8B models. */
export const QUANTIZATIONS: Sourced & { readonly list: readonly Quantization[] } = {
  source:
    "https://github.com/huggingface/huggingface.js/blob/main/packages/gguf/src/quant-descriptions.ts; https://docs.vllm.ai/en/latest/features/quantization/",
  date: "2026-11-01",
  list: [
    gguf("F32", 32),
    gguf("F16", 16),
    { name: "BF16", formats: ["gguf", "safetensors"], bits: 16 },
    gguf("Q8_0", 8.5),
    gguf("Q6_K", 6.5625),
    gguf("Q6_K_L", 6.7),
    gguf("Q5_K_M", 5.7),
    gguf("Q5_K_S", 5.54),
    gguf("Q5_K_L", 5.8),
    gguf("Q5_0", 5.5),
    gguf("Q5_1", 6),
    gguf("Q4_K_M", 4.89),
    gguf("Q4_K_S", 4.67),
    gguf("Q4_K_L", 5),
    gguf("Q4_K_XL", 4.9),
    gguf("Q4_0", 4.5),
    gguf("Q4_1", 5),
    gguf("Q3_K_L", 4.3),
    gguf("Q3_K_M", 4),
    gguf("Q3_K_S", 3.66),
    gguf("Q3_K_XL", 4.1),
    gguf("Q2_K", 3.16),
    gguf("Q2_K_S", 2.97),
    gguf("Q2_K_XL", 3.1),
    gguf("IQ4_XS", 4.25),
    gguf("IQ4_NL", 4.5),
    gguf("IQ3_M", 3.76),
    gguf("IQ3_S", 3.4375),
    gguf("IQ3_XS", 3.3),
    gguf("IQ3_XXS", 3.0625),
    gguf("IQ2_M", 2.93),
    gguf("IQ2_S", 2.5625),
    gguf("IQ2_XS", 2.3125),
    gguf("IQ2_XXS", 2.0625),
    gguf("IQ1_M", 1.75),
    gguf("IQ1_S", 1.5625),
    gguf("TQ1_0", 1.6875),
    gguf("TQ2_0", 2.0625),
    gguf("MXFP4_MOE", 4.25),
    tensors("fp16", 16),
    tensors("fp8", 8),
    tensors("int8", 8),
    tensors("w8a8", 8),
    tensors("w8a16", 8.125),
    tensors("w4a16", 4.125),
    tensors("awq", 4.25),
    tensors("gptq", 4.25),
    tensors("compressed-tensors", 4.125),
    tensors("bitsandbytes", 4.5),
    tensors("mxfp4", 4.25),
    tensors("nvfp4", 4.5),
    tensors("modelopt", 8),
    tensors("fp8_ds_mla", 8),
  ],
};

/** The quantization of that name; `UD-Q4_K_XL` and the like are mixtures of the type they are named after. */
export function findQuantization(name: string): Quantization | undefined {
  const wanted = name.replace(/^(?:UD|i1)-/i, "").toLowerCase();
  return QUANTIZATIONS.list.find((quantization) => quantization.name.toLowerCase() === wanted);
}
