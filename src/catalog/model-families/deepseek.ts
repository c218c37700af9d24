import { configOf } from "./family-row.ts";
import type { FamilyRow } from "./family-row.ts";
import type { ModelDimensions } from "../model-dimensions.ts";

const DEEPSEEK_V3 = {
  architecture: "deepseek2",
  className: "DeepseekV3ForCausalLM",
  layers: 61,
  hidden: 7168,
  heads: 128,
  kvHeads: 1,
  headLength: 192,
  feedForward: 18_432,
  vocabulary: 129_280,
  trainedContext: 163_840,
  latent: { queryRank: 1536, rank: 512, plain: 128, rope: 64, value: 128 },
  experts: { count: 256, used: 8, feedForward: 2048, shared: 1, denseLayers: 3, routerBias: true },
  draft: { layers: 1, ownEmbeddings: true, inGguf: false },
  native: "fp8",
} satisfies ModelDimensions;

/** Source of the files that convert_hf_to_gguf.py writes: conversion/deepseek.py leaves the MTP block of V3 and R1 out. */
export const DEEPSEEK: readonly FamilyRow[] = [
  {
    name: "DeepSeek-V3",
    aliases: ["DeepSeek-V3.1", "DeepSeek-V3.1-Terminus"],
    dimensions: DEEPSEEK_V3,
    source: configOf("deepseek-ai/DeepSeek-V3"),
  },
  { name: "DeepSeek-R1", dimensions: DEEPSEEK_V3, source: configOf("deepseek-ai/DeepSeek-R1") },
  {
    name: "DeepSeek-V3.2",
    aliases: ["DeepSeek-V3.2-Exp", "DeepSeek-V3.2-Speciale"],
    dimensions: {
      ...DEEPSEEK_V3,
      architecture: "deepseek32",
      className: "DeepseekV32ForCausalLM",
      latent: { ...DEEPSEEK_V3.latent, indexer: { heads: 64, length: 128 } },
    },
    source: configOf("deepseek-ai/DeepSeek-V3.2"),
  },
  {
    name: "Kimi-K2",
    dimensions: {
      ...DEEPSEEK_V3,
      heads: 64,
      vocabulary: 163_840,
      trainedContext: 131_072,
      experts: { ...DEEPSEEK_V3.experts, count: 384, denseLayers: 1 },
      draft: { layers: 0, ownEmbeddings: false, inGguf: false },
    },
    source: configOf("moonshotai/Kimi-K2-Instruct"),
  },
];
