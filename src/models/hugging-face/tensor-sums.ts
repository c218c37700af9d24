import { OmniError } from "../../core/index.ts";
import type { BlockWeights } from "../model-shape.ts";
import { shown } from "../shown.ts";
import type { ConfigQuantization } from "./config-quantization.ts";
import { logicalParameters } from "./logical-parameters.ts";
import type { SafetensorsTensor } from "./safetensors-header.ts";
import { tensorPlace } from "./tensor-place.ts";

interface TensorSums {
  readonly groups: Readonly<Record<"embedding" | "output" | "other" | "projector", number>>;
  /** The model's blocks, then those for multi-token prediction. */
  readonly blocks: readonly BlockWeights[];
  readonly parameters: number;
  readonly expertParameters: number;
}

/** More blocks than this after the last one are a damaged name and no multi-token prediction. */
const MOST_DRAFTS = 16;

/**
 * Bytes by what tensors are for, and the parameters they hold. Throws `OmniError` `model.malformed` for a block whose
 * number the model cannot have.
 */
export function sumTensors(
  tensors: readonly SafetensorsTensor[],
  layers: number,
  packing: ConfigQuantization | undefined,
): TensorSums {
  const groups = { embedding: 0, output: 0, other: 0, projector: 0 };
  const blocks = Array.from({ length: layers }, emptyBlock);
  let parameters = 0;
  let expertParameters = 0;
  for (const tensor of tensors) {
    const place = tensorPlace(tensor.name);
    const logical = logicalParameters(tensor, packing);
    parameters += logical;
    if (!("layer" in place)) {
      groups[place.group] += tensor.bytes;
      continue;
    }
    if (place.group === "experts") expertParameters += logical;
    blockAt(blocks, place.layer + (place.draft ? layers : 0), layers, tensor.name)[place.group] +=
      tensor.bytes;
  }
  return { groups, blocks, parameters, expertParameters };
}

const emptyBlock = (): Record<keyof BlockWeights, number> => ({ attention: 0, feedForward: 0, experts: 0 });

function blockAt(
  blocks: Record<keyof BlockWeights, number>[],
  index: number,
  layers: number,
  name: string,
): Record<keyof BlockWeights, number> {
  if (index >= layers + MOST_DRAFTS)
    throw new OmniError(
      "model.malformed",
      `The tensor ${shown(name)} is of block ${index}, and config.json gives ${layers} blocks.`,
    );
  while (blocks.length <= index) blocks.push(emptyBlock());
  return blocks[index] ?? emptyBlock();
}

const PLAIN: Readonly<Record<string, ConfigQuantization>> = {
  F32: { scheme: "f32", name: "F32", bits: 32 },
  F16: { scheme: "f16", name: "F16", bits: 16 },
  BF16: { scheme: "bf16", name: "BF16", bits: 16 },
  F8_E4M3: { scheme: "fp8", name: "FP8", bits: 8 },
  F8_E5M2: { scheme: "fp8", name: "FP8", bits: 8 },
  I8: { scheme: "int8", name: "INT8", bits: 8 },
  I32: { scheme: "w4a16", name: "INT4", bits: 4 },
  U8: { scheme: "mxfp4", name: "FP4", bits: 4 },
  F4: { scheme: "mxfp4", name: "FP4", bits: 4 },
};

/** The type that most bytes have, where no known quantization is declared. */
export function dominantType(tensors: readonly SafetensorsTensor[]): ConfigQuantization {
  const bytes = new Map<string, number>();
  for (const tensor of tensors) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes);
  const most = [...bytes].reduce((a, b) => (b[1] > a[1] ? b : a), ["BF16", -1] as const)[0];
  return PLAIN[most] ?? { scheme: "bf16", name: most, bits: 16 };
}
