import { findEngineKind } from "../../catalog/index.ts";
import type { ModelShape } from "../../models/model-shape.ts";
import { engineKind, runsVllm } from "./engine-kind.ts";
import type { GateInput, GateRefusal } from "./gate.ts";

const VLLM_DEEPSEEK = "https://github.com/vllm-project/vllm/issues/42229, /15277, /30641";
const VLLM_GGUF = "https://docs.vllm.ai/en/latest/features/quantization/gguf/";
const SGLANG_DEEPSEEK = "https://github.com/sgl-project/sglang/issues/4756";

/** The first part of gate 2: the engine reads files of this format. */
export function refuseByFormat(input: GateInput, shape: ModelShape): readonly GateRefusal[] {
  const kind = findEngineKind(input.engine.kind);
  if (kind === undefined || kind.formats.length === 0 || kind.formats.includes(shape.format)) return [];
  return [shape.format === "gguf" ? refuseGguf(input, shape) : refuseSafetensors(input, shape)];
}

function refuseGguf(input: GateInput, shape: ModelShape): GateRefusal {
  const [why, source] = whyNoGguf(input, shape);
  return {
    code: "gguf-in-vllm",
    reason: `${shape.name ?? "The model"} is a GGUF file (${shape.quantization.name}, ${shape.architecture}); ${why}.`,
    hint: "Serve this file with llama.cpp or KTransformers, or give the safetensors repository.",
    source,
  };
}

function whyNoGguf(input: GateInput, shape: ModelShape): readonly [why: string, source: string] {
  const kind = engineKind(input.engine);
  const deepseek = /deepseek|kimi/i.test(shape.architecture);
  if (deepseek && (runsVllm(input.engine) || kind === "sglang")) {
    return [
      `${kind} has no GGUF loader for it ("GGUF model with architecture deepseek2 is not supported yet")`,
      runsVllm(input.engine) ? VLLM_DEEPSEEK : SGLANG_DEEPSEEK,
    ];
  }
  return runsVllm(input.engine)
    ? [
        `GGUF in ${kind} is experimental, slow and for few architectures, and Omni does not plan on it`,
        VLLM_GGUF,
      ]
    : [`${kind} is not served from GGUF files`, findEngineKind(kind)?.source ?? ""];
}

function refuseSafetensors(input: GateInput, shape: ModelShape): GateRefusal {
  return {
    code: "quantization-unsupported",
    reason: `${shape.name ?? "The model"} is safetensors (${shape.quantization.name}); ${engineKind(input.engine)} reads GGUF alone.`,
    hint: "Give a GGUF file of the model, or serve it with vllm or sglang.",
    source: "https://github.com/ggml-org/llama.cpp#obtaining-and-quantizing-models",
  };
}
