import type { QuantizationShape } from "../model-shape.ts";
import type { GgufHeader } from "../gguf-header.ts";

/** Names of `general.file_type`, as quantized files are named. Source: enum llama_ftype in llama.cpp, include/llama.h, 2026-11. */
const FILE_TYPES: ReadonlyMap<number, string> = new Map([
  [0, "F32"],
  [1, "F16"],
  [2, "Q4_0"],
  [3, "Q4_1"],
  [7, "Q8_0"],
  [8, "Q5_0"],
  [9, "Q5_1"],
  [10, "Q2_K"],
  [11, "Q3_K_S"],
  [12, "Q3_K_M"],
  [13, "Q3_K_L"],
  [14, "Q4_K_S"],
  [15, "Q4_K_M"],
  [16, "Q5_K_S"],
  [17, "Q5_K_M"],
  [18, "Q6_K"],
  [19, "IQ2_XXS"],
  [20, "IQ2_XS"],
  [21, "Q2_K_S"],
  [22, "IQ3_XS"],
  [23, "IQ3_XXS"],
  [24, "IQ1_S"],
  [25, "IQ4_NL"],
  [26, "IQ3_S"],
  [27, "IQ3_M"],
  [28, "IQ2_S"],
  [29, "IQ2_M"],
  [30, "IQ4_XS"],
  [31, "IQ1_M"],
  [32, "BF16"],
  [36, "TQ1_0"],
  [37, "TQ2_0"],
  [38, "MXFP4_MOE"],
  [39, "NVFP4"],
  [40, "Q1_0"],
  [41, "Q2_0"],
]);
/** Added by llama.cpp to a type that it guessed. */
const GUESSED = 1024;

/** Bytes by ggml type over all files of a model. */
export function bytesByType(headers: readonly GgufHeader[]): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  for (const tensor of headers.flatMap((header) => header.tensors))
    if (tensor.type !== undefined) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes);
  return bytes;
}

/** How the weights are quantized: by the file's own word, else by the type with the most bytes. */
export function quantizationOf(
  fileType: number | undefined,
  bytes: ReadonlyMap<string, number>,
  parameters: number,
): QuantizationShape {
  let total = 0;
  let most = "F32";
  for (const [type, part] of bytes) {
    total += part;
    if (part > (bytes.get(most) ?? 0)) most = type;
  }
  const plain = most === "F32" ? "f32" : most === "F16" ? "f16" : most === "BF16" ? "bf16" : "gguf";
  return {
    scheme: plain,
    name: (fileType === undefined ? undefined : FILE_TYPES.get(fileType % GUESSED)) ?? most,
    bitsPerWeight: parameters === 0 ? 0 : (total * 8) / parameters,
  };
}
