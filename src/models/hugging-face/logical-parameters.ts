import type { ConfigQuantization } from "./config-quantization.ts";
import type { SafetensorsTensor } from "./safetensors-header.ts";

/** Scales, zero points, orders, code books and recorded shapes: what makes packed weights readable, and no weight. */
const AUXILIARY = new RegExp(
  String.raw`(?:\.|_)(?:scales?|weight_scale(?:_inv|_2)?|scale_inv|input_scale|output_scale|[kvq]_scale|weight_global_scale|input_global_scale|qzeros|weight_zero_point|input_zero_point|g_idx|weight_g_idx|weight_shape|weight_format|absmax|quant_map|nested_absmax|nested_quant_map|SCB|activation_scale|act_scale)$|\.quant_state\.`,
);
const PACKED = /(?:\.qweight|\.weight_packed|_blocks|_packed)$/;
/** Schemes whose bytes hold two weights. */
const HALF_BYTE: ReadonlySet<string> = new Set(["nvfp4", "mxfp4", "bnb-4bit"]);
const BITS: Readonly<Record<string, number>> = { I32: 32, U32: 32, I64: 64, U8: 8, I8: 8 };

/**
 * Parameters that a tensor holds once packing is undone: eight 4-bit weights an I32 (GPTQ, AWQ, compressed-tensors), two
 * a U8 (MXFP4, NVFP4, bitsandbytes); scales, zero points and indices are none. Source: parameter counts of
 * @huggingface/hub, packages/hub/src/lib/parse-safetensors-metadata.ts.
 */
export function logicalParameters(
  tensor: SafetensorsTensor,
  quantization: ConfigQuantization | undefined,
): number {
  const elements = tensor.dimensions.reduce((product, dimension) => product * dimension, 1);
  if (quantization !== undefined && AUXILIARY.test(tensor.name)) return 0;
  const container = BITS[tensor.type];
  if (container === undefined) return elements;
  if (quantization === undefined) return isInteger(tensor.type) ? 0 : elements;
  if (PACKED.test(tensor.name)) return Math.floor((elements * container) / quantization.bits);
  if (tensor.type === "U8" && HALF_BYTE.has(quantization.scheme) && tensor.name.endsWith("weight"))
    return elements * 2;
  // Integers of other kinds are positions and tables of ids; int8 weights are weights.
  return tensor.type === "I8" && tensor.name.endsWith("weight") ? elements : 0;
}

const isInteger = (type: string): boolean => type === "I32" || type === "U32" || type === "I64";
