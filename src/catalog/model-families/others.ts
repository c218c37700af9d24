import { everyNth } from "../model-dimensions.ts";
import { configOf } from "./family-row.ts";
import type { FamilyRow } from "./family-row.ts";
import type { ModelDimensions } from "../model-dimensions.ts";

const llama = { architecture: "llama", className: "LlamaForCausalLM" } as const;
const LLAMA_70B = {
  ...llama,
  layers: 80,
  hidden: 8192,
  heads: 64,
  kvHeads: 8,
  headLength: 128,
  feedForward: 28_672,
  vocabulary: 128_256,
  trainedContext: 131_072,
} satisfies ModelDimensions;

const mistral = {
  architecture: "llama",
  className: "MistralForCausalLM",
  layers: 40,
  hidden: 5120,
  heads: 32,
  kvHeads: 8,
  headLength: 128,
  vocabulary: 131_072,
} as const;

const glm4moe = {
  architecture: "glm4moe",
  className: "Glm4MoeForCausalLM",
  heads: 96,
  kvHeads: 8,
  headLength: 128,
  vocabulary: 151_552,
  biases: ["query"],
  // convert_hf_to_gguf.py keeps the MTP block of this architecture.
  draft: { layers: 1, ownEmbeddings: true, inGguf: true },
} satisfies Partial<ModelDimensions>;
const GLM_45 = {
  ...glm4moe,
  layers: 92,
  hidden: 5120,
  feedForward: 12_288,
  trainedContext: 131_072,
  queryNorm: "head",
  experts: { count: 160, used: 8, feedForward: 1536, shared: 1, denseLayers: 3, routerBias: true },
} satisfies ModelDimensions;

const gptOss = {
  architecture: "gpt-oss",
  className: "GptOssForCausalLM",
  hidden: 2880,
  heads: 64,
  kvHeads: 8,
  headLength: 64,
  feedForward: 0,
  vocabulary: 201_088,
  trainedContext: 131_072,
  window: 128,
  biases: ["query", "output", "experts"],
  sinks: true,
  native: "mxfp4",
} satisfies Partial<ModelDimensions>;

export const OTHERS: readonly FamilyRow[] = [
  {
    name: "Llama-3.1-8B",
    aliases: ["Meta-Llama-3.1-8B"],
    dimensions: {
      ...LLAMA_70B,
      layers: 32,
      hidden: 4096,
      heads: 32,
      feedForward: 14_336,
    },
    source: configOf("meta-llama/Llama-3.1-8B-Instruct"),
  },
  {
    name: "Llama-3.3-70B",
    aliases: ["Llama-3.1-70B", "Meta-Llama-3.1-70B"],
    dimensions: LLAMA_70B,
    source: configOf("meta-llama/Llama-3.3-70B-Instruct"),
  },
  {
    name: "DeepSeek-R1-Distill-Llama-70B",
    dimensions: LLAMA_70B,
    source: configOf("deepseek-ai/DeepSeek-R1-Distill-Llama-70B"),
  },
  {
    name: "Llama-4-Scout",
    aliases: ["Llama-4-Scout-17B-16E"],
    dimensions: {
      architecture: "llama4",
      className: "Llama4ForConditionalGeneration",
      layers: 48,
      hidden: 5120,
      heads: 40,
      kvHeads: 8,
      headLength: 128,
      feedForward: 0,
      vocabulary: 202_048,
      trainedContext: 10_485_760,
      mixers: everyNth(48, 4, "window"),
      window: 8192,
      experts: { count: 16, used: 1, feedForward: 8192, shared: 1 },
      vision: 871_932_416,
    },
    source: configOf("meta-llama/Llama-4-Scout-17B-16E-Instruct"),
  },
  {
    name: "Mistral-Nemo-12B",
    aliases: ["Mistral-Nemo"],
    dimensions: { ...mistral, feedForward: 14_336, trainedContext: 131_072 },
    source: configOf("mistralai/Mistral-Nemo-Instruct-2407"),
  },
  {
    name: "Mistral-Small-24B",
    dimensions: { ...mistral, feedForward: 32_768, trainedContext: 32_768 },
    source: configOf("mistralai/Mistral-Small-24B-Instruct-2501"),
  },
  {
    name: "gpt-oss-20b",
    dimensions: {
      ...gptOss,
      layers: 24,
      mixers: everyNth(24, 2, "window"),
      experts: { count: 32, used: 4, feedForward: 2880, routerBias: true },
    },
    source: configOf("openai/gpt-oss-20b"),
  },
  {
    name: "gpt-oss-120b",
    dimensions: {
      ...gptOss,
      layers: 36,
      mixers: everyNth(36, 2, "window"),
      experts: { count: 128, used: 4, feedForward: 2880, routerBias: true },
    },
    source: configOf("openai/gpt-oss-120b"),
  },
  { name: "GLM-4.5", dimensions: GLM_45, source: configOf("zai-org/GLM-4.5") },
  {
    name: "GLM-4.7",
    aliases: ["GLM-4.6"],
    dimensions: { ...GLM_45, trainedContext: 202_752 },
    source: configOf("zai-org/GLM-4.7"),
  },
  {
    name: "GLM-4.5-Air",
    dimensions: {
      ...glm4moe,
      layers: 46,
      hidden: 4096,
      feedForward: 10_944,
      trainedContext: 131_072,
      experts: { count: 128, used: 8, feedForward: 1408, shared: 1, denseLayers: 1, routerBias: true },
    },
    source: configOf("zai-org/GLM-4.5-Air"),
  },
  {
    name: "MiniMax-M2.1",
    aliases: ["MiniMax-M2", "MiniMax-M2.5"],
    dimensions: {
      architecture: "minimax-m2",
      className: "MiniMaxM2ForCausalLM",
      layers: 62,
      hidden: 3072,
      heads: 48,
      kvHeads: 8,
      headLength: 128,
      feedForward: 0,
      vocabulary: 200_064,
      trainedContext: 196_608,
      queryNorm: "all",
      experts: { count: 256, used: 8, feedForward: 1536, routerBias: true },
      native: "fp8",
    },
    source: configOf("MiniMaxAI/MiniMax-M2.1"),
  },
  {
    name: "Gemma-3-27B",
    dimensions: {
      architecture: "gemma3",
      className: "Gemma3ForConditionalGeneration",
      layers: 62,
      hidden: 5376,
      heads: 32,
      kvHeads: 16,
      headLength: 128,
      feedForward: 21_504,
      vocabulary: 262_208,
      trainedContext: 131_072,
      tied: true,
      mixers: everyNth(62, 6, "window"),
      window: 1024,
      queryNorm: "head",
      norms: 4,
      vision: 423_060_336,
    },
    source: configOf("google/gemma-3-27b-it"),
  },
  {
    name: "Phi-4",
    dimensions: {
      architecture: "phi3",
      className: "Phi3ForCausalLM",
      layers: 40,
      hidden: 5120,
      heads: 40,
      kvHeads: 10,
      headLength: 128,
      feedForward: 17_920,
      vocabulary: 100_352,
      trainedContext: 16_384,
      fused: true,
    },
    source: configOf("microsoft/phi-4"),
  },
];
