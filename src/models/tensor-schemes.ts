import { elementsOf } from "./described-tensor.ts";
import type { DescribedTensor } from "./described-tensor.ts";
import type { WeightScheme } from "./model-shape.ts";

/** A way to store a model's matrices in safetensors, as its publishers name it. */
export interface TensorScheme {
  readonly scheme: WeightScheme;
  readonly name: string;
  /** `quant_method` that config.json would have. */
  readonly method?: string;
  /** Bytes of a matrix of `rows` × `columns`, its scales and zero points included. */
  readonly matrixBytes: (rows: number, columns: number) => number;
  /** Only routed experts are quantized (gpt-oss). */
  readonly expertsOnly?: boolean;
}

const GROUP = 128;
const groups = (columns: number, size: number): number => Math.ceil(columns / size);
const plain =
  (bytes: number) =>
  (rows: number, columns: number): number =>
    rows * columns * bytes;

/** Eight 4-bit weights an int32, one 16-bit scale a group, and two int64 that keep the true shape. */
const packed = (rows: number, columns: number): number =>
  rows * Math.ceil(columns / 8) * 4 + rows * groups(columns, GROUP) * 2 + 16;
/** As `packed` without the shape, with a 4-bit zero point a group. */
const withZeros = (rows: number, columns: number): number =>
  Math.ceil(columns / 8) * rows * 4 + groups(columns, GROUP) * (rows * 2 + Math.ceil(rows / 8) * 4);
/** One f32 scale a block of 128 × 128. */
const blockwise = (rows: number, columns: number): number =>
  rows * columns + groups(rows, 128) * groups(columns, 128) * 4;

/** bitsandbytes NF4 with double quantization: a byte a block of 64, an f32 a 256 of those, and two code books. */
function nf4(rows: number, columns: number): number {
  const blocks = Math.ceil((rows * columns) / 64);
  return Math.ceil((rows * columns) / 2) + blocks + Math.ceil(blocks / 256) * 4 + 256 * 4 + 16 * 4;
}

const scheme = (
  scheme: WeightScheme,
  name: string,
  matrixBytes: TensorScheme["matrixBytes"],
  method?: string,
): TensorScheme => ({ scheme, name, matrixBytes, ...(method === undefined ? {} : { method }) });

const BF16 = scheme("bf16", "BF16", plain(2));
const FP8 = scheme("fp8", "FP8", blockwise, "fp8");
const W4A16 = scheme("w4a16", "W4A16", packed, "compressed-tensors");
const BNB4 = scheme("bnb-4bit", "BNB-4BIT", nf4, "bitsandbytes");
const INT8 = scheme("int8", "W8A8", (rows, columns) => rows * columns + rows * 2, "compressed-tensors");
/** 32 weights of 4 bits and their shared exponent. */
const MXFP4 = scheme("mxfp4", "MXFP4", (rows, columns) => rows * groups(columns, 32) * 17, "mxfp4");
/** 16 weights of 4 bits and an fp8 scale, and two f32 scales a matrix. */
const NVFP4 = scheme("nvfp4", "NVFP4", (rows, columns) => rows * groups(columns, 16) * 9 + 8, "modelopt");

const SCHEMES: ReadonlyMap<string, TensorScheme> = new Map([
  ["f32", scheme("f32", "F32", plain(4))],
  ["f16", scheme("f16", "F16", plain(2))],
  ["fp16", scheme("f16", "F16", plain(2))],
  ["bf16", BF16],
  ["fp8", FP8],
  ["fp8_ds_mla", FP8],
  ["modelopt", FP8],
  ["w4a16", W4A16],
  ["compressed-tensors", W4A16],
  ["int4", W4A16],
  [
    "gptq",
    scheme("w4a16-gptq", "GPTQ-Int4", (rows, columns) => withZeros(rows, columns) + columns * 4, "gptq"),
  ],
  ["awq", scheme("w4a16-awq", "AWQ", withZeros, "awq")],
  [
    "w8a16",
    scheme("w8a16", "W8A16", (rows, columns) => rows * columns + rows * 2 + 16, "compressed-tensors"),
  ],
  ["int8", INT8],
  ["w8a8", INT8],
  ["mxfp4", MXFP4],
  ["nvfp4", NVFP4],
  ["bitsandbytes", BNB4],
  ["bnb-4bit", BNB4],
  ["bnb-8bit", scheme("bnb-8bit", "BNB-8BIT", (rows, columns) => rows * (columns + 4), "bitsandbytes")],
]);

/** The scheme of that name, in any case; `undefined` when it is not one of safetensors. */
export const findTensorScheme = (name: string): TensorScheme | undefined => SCHEMES.get(name.toLowerCase());

export const ONLY_EXPERTS_MXFP4: TensorScheme = { ...MXFP4, expertsOnly: true };

/**
 * Bytes of a tensor under a scheme. Embedding, head, norms, biases, routers, convolutions and vision towers stay in 16
 * bits, as vLLM's loaders and the quantizing tools (llm-compressor, AutoAWQ, GPTQModel, ModelOpt) leave them.
 */
export function tensorBytes(tensor: DescribedTensor, scheme: TensorScheme, kept: number): number {
  const [columns = 1, rows = 1, count = 1] = tensor.dimensions;
  if (scheme.expertsOnly === true && tensor.group !== "experts") return elementsOf(tensor) * kept;
  return isQuantized(tensor) ? scheme.matrixBytes(rows, columns) * count : elementsOf(tensor) * kept;
}

const isQuantized = ({ name, group, dimensions }: DescribedTensor): boolean =>
  ["attention", "feedForward", "experts"].includes(group) &&
  dimensions.length > 1 &&
  !/gate_inp|ssm_conv1d|ssm_alpha|ssm_beta|indexer\.proj|nextn\.|\.bias$/.test(name);
