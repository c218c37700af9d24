import { isOlderThan } from "../../catalog/index.ts";
import { parseComputeCapability } from "../../core/index.ts";
import type { ModelShape, WeightScheme } from "../../models/model-shape.ts";
import { engineKind, runsLlama, runsVllm } from "./engine-kind.ts";
import type { GateInput, GateRefusal } from "./gate.ts";
import { refuseByFormat } from "./weight-format.ts";

const VLLM_BF16 = "vLLM: Bfloat16 is only supported on GPUs with compute capability of at least 8.0";
const VLLM_FP8 = "https://docs.vllm.ai/en/v0.32.0/features/quantization/llm_compressor/fp8/";
const VLLM_INT8 = "https://docs.vllm.ai/en/latest/features/quantization/int8/";
const VLLM_TABLE = "https://docs.vllm.ai/en/v0.9.2/features/quantization/supported_hardware.html";
const VLLM_TURING = "https://github.com/vllm-project/vllm/pull/29901";
const TENSORRT_TABLE = "https://nvidia.github.io/TensorRT-LLM/0.18.2/reference/support-matrix.html";
const TENSORRT_FP4 = "https://nvidia.github.io/TensorRT-LLM/1.0.0/features/quantization.html";

/** Range of compute capabilities, `major × 10 + minor`, that have kernels for a way of storing weights. */
interface KernelRange {
  readonly schemes: readonly WeightScheme[];
  readonly from: number;
  /** The first capability in releases before this one. */
  readonly formerly?: { readonly before: string; readonly from: number };
  /** First capability that has none again. */
  readonly before?: number;
  /** Below this the weights stay packed and every step unpacks them (Marlin): it runs, without native arithmetic. */
  readonly nativeFrom?: number;
  readonly hint: string;
  readonly source: string;
}

/** Marlin learned Turing after 0.12: FP8 and NVFP4, but not MXFP4, whose kernels compute in BF16. */
const TURING_MARLIN = { before: "0.13.0", from: 80 } as const;

const VLLM_KERNELS: readonly KernelRange[] = [
  {
    schemes: ["bf16"],
    from: 80,
    hint: "Serve it in half precision (--dtype half), or use AWQ or GPTQ.",
    source: VLLM_BF16,
  },
  {
    schemes: ["w4a16-awq", "w4a16-gptq", "w4a16", "w8a16"],
    from: 75,
    hint: "Use GGUF with llama.cpp on this card.",
    source: VLLM_TABLE,
  },
  {
    schemes: ["fp8"],
    from: 75,
    formerly: TURING_MARLIN,
    nativeFrom: 89,
    hint: "Use AWQ, GPTQ or INT8 on this card.",
    source: VLLM_FP8,
  },
  {
    schemes: ["int8"],
    from: 75,
    before: 100,
    hint: "Use FP8 or W4A16 on this card.",
    source: VLLM_INT8,
  },
  {
    schemes: ["nvfp4"],
    from: 75,
    formerly: TURING_MARLIN,
    nativeFrom: 100,
    hint: "Use AWQ or GPTQ on this card.",
    source: VLLM_TURING,
  },
  {
    schemes: ["mxfp4"],
    from: 80,
    nativeFrom: 100,
    hint: "Use AWQ or GPTQ on this card.",
    source: VLLM_TURING,
  },
];

const SGLANG_KERNELS: readonly KernelRange[] = [
  { schemes: ["bf16"], from: 80, hint: "Serve it in half precision (--dtype half).", source: VLLM_BF16 },
];

const TENSORRT_KERNELS: readonly KernelRange[] = [
  { schemes: ["bf16"], from: 80, hint: "Use another engine on this card.", source: TENSORRT_TABLE },
  { schemes: ["fp8"], from: 89, hint: "Use INT8, AWQ or GPTQ on this card.", source: TENSORRT_TABLE },
  {
    schemes: ["nvfp4", "mxfp4"],
    from: 100,
    hint: "Use FP8, AWQ or GPTQ on this card.",
    source: TENSORRT_FP4,
  },
];

/** Gate 2: the engine reads this format and has kernels for these weights on this card. */
export function refuseByQuantization(input: GateInput): readonly GateRefusal[] {
  const { shape } = input;
  if (shape === undefined) return [];
  const byFormat = refuseByFormat(input, shape);
  if (byFormat.length > 0) return byFormat;
  const capability = code(input);
  const range = kernelRange(input, shape);
  if (capability === undefined || range === undefined) return [];
  const from = firstCapability(input, range);
  if (capability >= from && capability < (range.before ?? Infinity)) return [];
  const limit =
    capability < from
      ? `needs compute capability ${dotted(from)} or later`
      : `has none for compute capability ${dotted(range.before ?? 0)} and later`;
  return [
    {
      code: "quantization-unsupported",
      reason:
        `${shape.quantization.name} in ${input.engine.kind} ${limit}; ` +
        `${input.card.name} (${input.card.model}) is ${input.card.computeCapability}.`,
      hint: range.hint,
      source: range.source,
    },
  ];
}

/** Something that runs, but not as its name promises. */
export interface GateNote {
  readonly text: string;
  readonly source: string;
}

/** What the owner should know about a quantization that passes the gate: weights that are only stored small. */
export function noteQuantization(input: GateInput): GateNote | undefined {
  const capability = code(input);
  const range = input.shape === undefined ? undefined : kernelRange(input, input.shape);
  if (input.shape === undefined || capability === undefined || range?.nativeFrom === undefined)
    return undefined;
  if (capability < firstCapability(input, range) || capability >= range.nativeFrom) return undefined;
  return {
    text:
      `${input.shape.quantization.name} runs weight-only on ${input.card.model} (${input.card.computeCapability}): Marlin ` +
      `kernels unpack to 16 bits; native arithmetic begins at ${dotted(range.nativeFrom)}.`,
    source: range.source,
  };
}

function kernelRange(input: GateInput, shape: ModelShape): KernelRange | undefined {
  if (runsLlama(input.engine)) return undefined;
  const table = runsVllm(input.engine)
    ? VLLM_KERNELS
    : { sglang: SGLANG_KERNELS, ktransformers: SGLANG_KERNELS, "tensorrt-llm": TENSORRT_KERNELS }[
        engineKind(input.engine)
      ];
  return table?.find((range) => range.schemes.includes(shape.quantization.scheme));
}

function firstCapability({ engine }: GateInput, range: KernelRange): number {
  const { formerly } = range;
  return formerly !== undefined && isOlderThan(formerly.before, engine.version, engine.image)
    ? formerly.from
    : range.from;
}

function code(input: GateInput): number | undefined {
  const device = parseComputeCapability(input.card.computeCapability);
  return device === undefined ? undefined : device.major * 10 + device.minor;
}

const dotted = (capability: number): string => `${Math.floor(capability / 10)}.${capability % 10}`;
