import { configOf } from "./family-row.ts";
import type { FamilyRow } from "./family-row.ts";
import type { ModelDimensions } from "../model-dimensions.ts";

const qwen2 = {
  architecture: "qwen2",
  className: "Qwen2ForCausalLM",
  headLength: 128,
  biases: ["query"],
} satisfies Partial<ModelDimensions>;
const QWEN25_7B = {
  ...qwen2,
  layers: 28,
  hidden: 3584,
  heads: 28,
  kvHeads: 4,
  feedForward: 18_944,
  vocabulary: 152_064,
  trainedContext: 32_768,
} satisfies ModelDimensions;
const QWEN25_32B = {
  ...qwen2,
  layers: 64,
  hidden: 5120,
  heads: 40,
  kvHeads: 8,
  feedForward: 27_648,
  vocabulary: 152_064,
  trainedContext: 32_768,
} satisfies ModelDimensions;
const QWEN25_14B = {
  ...QWEN25_32B,
  layers: 48,
  feedForward: 13_824,
} satisfies ModelDimensions;
const QWEN25_3B = {
  ...qwen2,
  layers: 36,
  hidden: 2048,
  heads: 16,
  kvHeads: 2,
  feedForward: 11_008,
  vocabulary: 151_936,
  trainedContext: 32_768,
  tied: true,
} satisfies ModelDimensions;

export const QWEN25: readonly FamilyRow[] = [
  {
    name: "Qwen2.5-3B",
    aliases: ["Qwen2.5-Coder-3B"],
    dimensions: QWEN25_3B,
    source: configOf("Qwen/Qwen2.5-3B-Instruct"),
  },
  {
    name: "Qwen2.5-7B",
    dimensions: QWEN25_7B,
    source: configOf("Qwen/Qwen2.5-7B-Instruct"),
  },
  { name: "Qwen2.5-Coder-7B", dimensions: QWEN25_7B, source: configOf("Qwen/Qwen2.5-Coder-7B-Instruct") },
  {
    name: "Qwen2.5-14B",
    aliases: ["Qwen2.5-Coder-14B"],
    dimensions: QWEN25_14B,
    source: configOf("Qwen/Qwen2.5-14B-Instruct"),
  },
  { name: "Qwen2.5-32B", dimensions: QWEN25_32B, source: configOf("Qwen/Qwen2.5-32B-Instruct") },
  { name: "Qwen2.5-Coder-32B", dimensions: QWEN25_32B, source: configOf("Qwen/Qwen2.5-Coder-32B-Instruct") },
  {
    name: "DeepSeek-R1-Distill-Qwen-32B",
    dimensions: { ...QWEN25_32B, trainedContext: 131_072 },
    source: configOf("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"),
  },
];

const qwen3 = {
  architecture: "qwen3",
  className: "Qwen3ForCausalLM",
  headLength: 128,
  kvHeads: 8,
  vocabulary: 151_936,
  trainedContext: 40_960,
  queryNorm: "head",
} satisfies Partial<ModelDimensions>;
const qwen3moe = {
  ...qwen3,
  architecture: "qwen3moe",
  className: "Qwen3MoeForCausalLM",
  feedForward: 0,
} satisfies Partial<ModelDimensions>;
const QWEN3_06B = {
  ...qwen3,
  layers: 28,
  hidden: 1024,
  heads: 16,
  feedForward: 3072,
  tied: true,
} satisfies ModelDimensions;

export const QWEN3: readonly FamilyRow[] = [
  { name: "Qwen3-0.6B", dimensions: QWEN3_06B, source: configOf("Qwen/Qwen3-0.6B") },
  {
    name: "Qwen3-Embedding-0.6B",
    dimensions: { ...QWEN3_06B, vocabulary: 151_669, trainedContext: 32_768 },
    source: configOf("Qwen/Qwen3-Embedding-0.6B"),
  },
  {
    name: "Qwen3-4B",
    dimensions: { ...qwen3, layers: 36, hidden: 2560, heads: 32, feedForward: 9728, tied: true },
    source: configOf("Qwen/Qwen3-4B"),
  },
  {
    name: "Qwen3-8B",
    dimensions: { ...qwen3, layers: 36, hidden: 4096, heads: 32, feedForward: 12_288 },
    source: configOf("Qwen/Qwen3-8B"),
  },
  {
    name: "Qwen3-14B",
    dimensions: { ...qwen3, layers: 40, hidden: 5120, heads: 40, feedForward: 17_408 },
    source: configOf("Qwen/Qwen3-14B"),
  },
  {
    name: "Qwen3-32B",
    dimensions: { ...qwen3, layers: 64, hidden: 5120, heads: 64, feedForward: 25_600 },
    source: configOf("Qwen/Qwen3-32B"),
  },
  {
    name: "Qwen3-30B-A3B",
    aliases: ["Qwen3-30B-A3B-Thinking"],
    dimensions: {
      ...qwen3moe,
      layers: 48,
      hidden: 2048,
      heads: 32,
      kvHeads: 4,
      experts: { count: 128, used: 8, feedForward: 768 },
    },
    source: configOf("Qwen/Qwen3-30B-A3B"),
  },
  {
    name: "Qwen3-Coder-30B-A3B",
    dimensions: {
      ...qwen3moe,
      layers: 48,
      hidden: 2048,
      heads: 32,
      kvHeads: 4,
      trainedContext: 262_144,
      experts: { count: 128, used: 8, feedForward: 768 },
    },
    source: configOf("Qwen/Qwen3-Coder-30B-A3B-Instruct"),
  },
  {
    name: "Qwen3-235B-A22B",
    dimensions: {
      ...qwen3moe,
      layers: 94,
      hidden: 4096,
      heads: 64,
      kvHeads: 4,
      experts: { count: 128, used: 8, feedForward: 1536 },
    },
    source: configOf("Qwen/Qwen3-235B-A22B"),
  },
  {
    name: "Qwen3-Coder-480B-A35B",
    aliases: ["Qwen3-Coder-480B"],
    dimensions: {
      ...qwen3moe,
      layers: 62,
      hidden: 6144,
      heads: 96,
      trainedContext: 262_144,
      experts: { count: 160, used: 8, feedForward: 2560 },
    },
    source: configOf("Qwen/Qwen3-Coder-480B-A35B-Instruct"),
  },
];
