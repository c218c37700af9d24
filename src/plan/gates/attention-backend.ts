import { parseComputeCapability } from "../../core/index.ts";
import type { ComputeCapability } from "../../core/index.ts";
import type { KvType } from "../../memory/memory-model.ts";
import type { ModelShape } from "../../models/model-shape.ts";
import { engineKind, runsLlama, runsVllm } from "./engine-kind.ts";
import type { GateInput, GateRefusal } from "./gate.ts";

const SPARSE_MLA = "https://github.com/vllm-project/vllm/issues/31936, /30644, /39594, /56837";
const SGLANG_DSA = "SGLang: sparse attention on sm_120 through TileLang, with a BF16 KV cache";
const FP8_KV = "https://github.com/vllm-project/vllm/issues/26431";
const LLAMA_FLASH =
  "https://github.com/ollama/ollama (flash attention: compute capability 6.0 and later, not 7.2)";
const VLLM_KV = "https://docs.vllm.ai/en/latest/features/quantization/quantized_kvcache/";
const LLAMA_KV = "https://github.com/ggml-org/llama.cpp/tree/master/tools/server (--cache-type-k)";

/** Gate 3: the engine has attention kernels for this model and this KV cache on this card. */
export function refuseByAttention(input: GateInput): readonly GateRefusal[] {
  const device = parseComputeCapability(input.card.computeCapability);
  if (device === undefined) return [];
  return [
    sparseAttention(input, device),
    foreignKvType(input),
    fp8Kv(input, device),
    quantizedKv(input, device),
  ].filter((refusal) => refusal !== undefined);
}

type Answer = GateRefusal | undefined;

/** DeepSeek sparse attention: vLLM has kernels for Hopper and Blackwell of data centres, SGLang elsewhere with BF16 alone. */
function sparseAttention(input: GateInput, device: ComputeCapability): Answer {
  if (!hasSparseAttention(input.shape)) return undefined;
  const model = input.shape?.name ?? input.shape?.architecture ?? "The model";
  if (runsVllm(input.engine) && device.major !== 9 && device.major !== 10) {
    return refusal(
      input,
      `${model} uses sparse latent attention (DSA), and the sparse MLA backends of ${input.engine.kind} are for 9.x and 10.x only`,
      "Serve it with SGLang (BF16 KV cache), llama.cpp or KTransformers on this card.",
      SPARSE_MLA,
    );
  }
  if (engineKind(input.engine) === "sglang" && device.major === 12 && input.kvType === "fp8") {
    return refusal(
      input,
      `${model} uses sparse latent attention (DSA), which SGLang computes on 12.x with a BF16 KV cache only`,
      "Set kvCache: bf16.",
      SGLANG_DSA,
    );
  }
  return undefined;
}

const hasSparseAttention = (shape: ModelShape | undefined): boolean =>
  shape?.layers.some((layer) => layer.caches.some((cache) => cache.kind === "latent" && cache.indexer > 0)) ??
  false;

const LLAMA_TYPES: ReadonlySet<KvType> = new Set<KvType>([
  "f32",
  "f16",
  "bf16",
  "q8_0",
  "q5_1",
  "q5_0",
  "q4_1",
  "q4_0",
  "iq4_nl",
]);
const TORCH_TYPES: ReadonlySet<KvType> = new Set<KvType>(["f32", "f16", "bf16", "fp8", "nvfp4", "int8"]);
const TORCH_KINDS: ReadonlySet<string> = new Set(["vllm", "triton-vllm", "sglang", "tensorrt-llm"]);

/** A type that only the other family of engines has. */
function foreignKvType(input: GateInput): Answer {
  const { kvType, engine } = input;
  const known = runsLlama(engine)
    ? LLAMA_TYPES
    : TORCH_KINDS.has(engineKind(engine))
      ? TORCH_TYPES
      : undefined;
  if (known === undefined || known.has(kvType)) return undefined;
  return refusal(
    input,
    `${engine.kind} has no KV cache of type ${kvType}`,
    `Use one of ${[...known].join(", ")}.`,
    runsLlama(engine) ? LLAMA_KV : VLLM_KV,
  );
}

/** FlashAttention 2, which serves cards before Ada, has no FP8 cache, and Triton's FP8 type begins at 8.9. */
function fp8Kv(input: GateInput, device: ComputeCapability): Answer {
  if (!runsVllm(input.engine) || input.kvType !== "fp8" || choosesFlashInfer(input.engine)) return undefined;
  if (device.major * 10 + device.minor >= 89) return undefined;
  return refusal(
    input,
    `an FP8 KV cache in ${input.engine.kind} needs 8.9 or later: FlashAttention 2 has none and Triton ends with "type fp8e4nv not supported in this architecture"`,
    "Set kvCache: bf16 (f16 before 8.0), or choose FlashInfer with arguments: [--attention-backend, FLASHINFER].",
    FP8_KV,
  );
}

function choosesFlashInfer(engine: GateInput["engine"]): boolean {
  const environment: Readonly<Record<string, unknown>> = engine.environment ?? {};
  const given = [...(engine.arguments ?? []), environment["VLLM_ATTENTION_BACKEND"]];
  return given.some((word) => typeof word === "string" && /flashinfer/i.test(word));
}

/** llama.cpp keeps quantised values only under flash attention. */
function quantizedKv(input: GateInput, device: ComputeCapability): Answer {
  const quantised = /^i?q\d/.test(input.kvType);
  const flash = device.major >= 6 && !(device.major === 7 && device.minor === 2);
  if (!runsLlama(input.engine) || !quantised || flash) return undefined;
  return refusal(
    input,
    `a KV cache of type ${input.kvType} needs flash attention, which llama.cpp has from 6.0 on, without 7.2`,
    "Set kvCache: f16.",
    LLAMA_FLASH,
  );
}

function refusal(input: GateInput, why: string, hint: string, source: string): GateRefusal {
  const { name, model, computeCapability } = input.card;
  return {
    code: "attention-unsupported",
    reason: `${name} (${model}) is compute capability ${computeCapability}; ${why}.`,
    hint,
    source,
  };
}
