/** The models and arguments by which the prediction is judged. */
import type { EngineSettings } from "../src/memory/memory-model.ts";
import { cohere2 } from "../test/fakes/sparse-models/cohere2.ts";
import { deepseek2Lite, deepseek32 } from "../test/fakes/sparse-models/deepseek.ts";
import { gemma3, gemma4 } from "../test/fakes/sparse-models/gemma.ts";
import { gptOss } from "../test/fakes/sparse-models/gpt-oss.ts";
import { lfm2 } from "../test/fakes/sparse-models/lfm2.ts";
import { llama, LLAMA_1B, LLAMA_70B, LLAMA_8B, MIXTRAL } from "../test/fakes/sparse-models/llama.ts";
import { codestralMamba, falconH1, graniteHybrid, jamba, mamba } from "../test/fakes/sparse-models/mamba.ts";
import { glm4Moe } from "../test/fakes/sparse-models/glm4-moe.ts";
import { nemotronH } from "../test/fakes/sparse-models/nemotron-h.ts";
import { rwkv7 } from "../test/fakes/sparse-models/rwkv7.ts";
import { phi3 } from "../test/fakes/sparse-models/phi3.ts";
import { qwen3, qwen3moe } from "../test/fakes/sparse-models/qwen3.ts";
import { qwen3next, qwen35 } from "../test/fakes/sparse-models/qwen35.ts";
import type { SparseModel } from "../test/fakes/sparse-gguf.ts";

export interface MemoryCase {
  readonly name: string;
  readonly model: () => SparseModel;
  readonly settings?: Partial<EngineSettings>;
  readonly cards: number;
  /** Judged by a server's log instead of `llama-fit-params`. */
  readonly server?: boolean;
  /** Judged by node-llama-cpp within this process as well. */
  readonly inProcess?: boolean;
}

const q8 = { kvKeyType: "q8_0", kvValueType: "q8_0" } as const;
const q4 = { kvKeyType: "q4_0", kvValueType: "q4_0" } as const;
const cpu = { cards: 0, settings: { gpuLayers: 0 } };

export const CASES: readonly MemoryCase[] = [
  { name: "llama 8B Q4_K", model: () => llama(LLAMA_8B), cards: 1 },
  {
    name: "llama 8B, no flash attention",
    model: () => llama(LLAMA_8B),
    cards: 1,
    settings: { flashAttention: false },
  },
  { name: "llama 8B, 4 requests", model: () => llama(LLAMA_8B), cards: 1, settings: { parallel: 4 } },
  {
    name: "llama 8B, 128K in q8_0",
    model: () => llama(LLAMA_8B),
    cards: 1,
    settings: { ...q8, contextTokens: 131_072 },
  },
  {
    name: "llama 8B, 20 layers on the card",
    model: () => llama(LLAMA_8B),
    cards: 1,
    settings: { gpuLayers: 20 },
  },
  {
    name: "llama 8B, cache in main memory",
    model: () => llama(LLAMA_8B),
    cards: 1,
    settings: { kvOnHost: true },
  },
  {
    name: "llama 8B, micro-batch 2048",
    model: () => llama(LLAMA_8B),
    cards: 1,
    settings: { microBatchTokens: 2048 },
  },
  { name: "llama 8B on the processor", model: () => llama(LLAMA_8B), ...cpu, inProcess: true },
  {
    name: "llama 1B Q8_0 tied, server, 4 slots unified",
    model: () => llama(LLAMA_1B),
    cards: 0,
    server: true,
    settings: { gpuLayers: 0, parallel: 4, kvUnified: true },
  },
  {
    name: "llama 1B Q8_0 tied, server, 4 slots",
    model: () => llama(LLAMA_1B),
    cards: 0,
    server: true,
    settings: { gpuLayers: 0, parallel: 4, contextTokens: 2048 },
  },
  {
    name: "llama 1B Q8_0 tied, server, 2 cards",
    model: () => llama(LLAMA_1B),
    cards: 2,
    server: true,
    settings: { tensorSplit: [9, 8], parallel: 4 },
  },
  {
    name: "lfm2 1.2B, server, 1 card, 2 slots",
    model: () => lfm2("Q4_K"),
    cards: 1,
    server: true,
    settings: { parallel: 2 },
  },
  {
    name: "llama 70B Q4_K, split 62:19",
    model: () => llama(LLAMA_70B),
    cards: 2,
    settings: { tensorSplit: [62, 19], contextTokens: 32_768 },
  },
  {
    name: "llama 70B IQ4_XS, split 15:15:18:11:11:11",
    model: () => llama({ ...LLAMA_70B, type: "IQ4_XS" }),
    cards: 6,
    settings: { tensorSplit: [15, 15, 18, 11, 11, 11] },
  },
  { name: "mixtral 8x7B", model: () => llama(MIXTRAL), cards: 1 },
  {
    name: "mixtral 8x7B, split 10:23",
    model: () => llama(MIXTRAL),
    cards: 2,
    settings: { tensorSplit: [10, 23] },
  },
  {
    name: "mixtral 8x7B, experts of 12 layers away",
    model: () => llama(MIXTRAL),
    cards: 1,
    settings: { cpuExpertLayers: 12 },
  },
  {
    name: "mixtral 8x7B, split 20:13, experts away",
    model: () => llama(MIXTRAL),
    cards: 2,
    settings: { tensorSplit: [20, 13], cpuExpertLayers: 12 },
  },
  {
    name: "qwen3 4B F16 tied, 40K",
    model: () => qwen3("F16"),
    cards: 1,
    settings: { contextTokens: 40_960 },
  },
  { name: "qwen3 4B Q4_K tied on the processor", model: () => qwen3("Q4_K"), ...cpu, inProcess: true },
  { name: "qwen3moe 30B IQ4_XS", model: () => qwen3moe("IQ4_XS"), cards: 1 },
  {
    name: "qwen3moe 30B, experts of 24 layers away",
    model: () => qwen3moe("Q4_K"),
    cards: 1,
    settings: { cpuExpertLayers: 24 },
  },
  {
    name: "qwen3moe 30B, 3 cards",
    model: () => qwen3moe("Q4_K"),
    cards: 3,
    settings: { tensorSplit: [12, 20, 17], contextTokens: 32_768 },
  },
  { name: "gpt-oss 20B MXFP4, 128K", model: () => gptOss(), cards: 1, settings: { contextTokens: 131_072 } },
  { name: "gpt-oss 20B, 4 requests", model: () => gptOss(), cards: 1, settings: { parallel: 4 } },
  { name: "gemma3 12B, 64K", model: () => gemma3("Q4_K"), cards: 1, settings: { contextTokens: 65_536 } },
  {
    name: "gemma3 12B, 4 requests in q8_0",
    model: () => gemma3("Q4_K"),
    cards: 1,
    settings: { parallel: 4, ...q8 },
  },
  { name: "gemma4 E4B", model: () => gemma4("Q4_K"), cards: 1 },
  {
    name: "gemma4 E4B, split 26:17",
    model: () => gemma4("Q4_K"),
    cards: 2,
    settings: { tensorSplit: [26, 17] },
  },
  { name: "gemma4 E4B on the processor", model: () => gemma4("Q4_K"), ...cpu },
  {
    name: "cohere2 7B Q5_K, 32K",
    model: () => cohere2("Q5_K"),
    cards: 1,
    settings: { contextTokens: 32_768 },
  },
  {
    name: "deepseek2 lite",
    model: () => deepseek2Lite("Q4_K"),
    cards: 1,
    settings: { contextTokens: 32_768 },
  },
  { name: "deepseek2 lite, cache in q4_0", model: () => deepseek2Lite("Q8_0"), cards: 1, settings: q4 },
  {
    name: "deepseek3.2 Q4_K, experts away",
    model: () => deepseek32("Q4_K"),
    cards: 1,
    settings: { cpuExpertLayers: 61 },
  },
  {
    name: "deepseek3.2 Q4_K, split 38:24",
    model: () => deepseek32("Q4_K"),
    cards: 2,
    settings: { tensorSplit: [38, 24], contextTokens: 32_768 },
  },
  { name: "qwen3.5 9B, 128K", model: () => qwen35("Q4_K"), cards: 1, settings: { contextTokens: 131_072 } },
  { name: "qwen3.5 9B, 4 requests", model: () => qwen35("Q4_K"), cards: 1, settings: { parallel: 4 } },
  { name: "qwen3next 80B", model: () => qwen3next("Q4_K"), cards: 1, settings: { contextTokens: 32_768 } },
  {
    name: "qwen3next 80B, split 30:19",
    model: () => qwen3next("Q4_K"),
    cards: 2,
    settings: { tensorSplit: [30, 19] },
  },
  { name: "mamba 2.8B F16 tied", model: () => mamba("F16"), cards: 1 },
  {
    name: "mamba2 7B Q8_0, 4 sequences",
    model: () => codestralMamba("Q8_0"),
    cards: 1,
    settings: { parallel: 4 },
  },
  {
    name: "mamba2 7B Q8_0, split 39:26",
    model: () => codestralMamba("Q8_0"),
    cards: 2,
    settings: { tensorSplit: [39, 26] },
  },
  { name: "mamba2 7B Q8_0 on the processor", model: () => codestralMamba("Q8_0"), ...cpu, inProcess: true },
  { name: "falcon-h1 7B", model: () => falconH1("Q4_K"), cards: 1, settings: { contextTokens: 32_768 } },
  {
    name: "granitehybrid 32B",
    model: () => graniteHybrid("Q4_K"),
    cards: 1,
    settings: { contextTokens: 32_768 },
  },
  { name: "jamba 52B", model: () => jamba("Q4_K"), cards: 1, settings: { contextTokens: 32_768 } },
  { name: "phi3 14B", model: () => phi3("Q4_K"), cards: 1, settings: { contextTokens: 16_384 } },
  { name: "lfm2 1.2B", model: () => lfm2("Q4_K"), cards: 1 },
  {
    name: "glm4moe 106B IQ4_XS",
    model: () => glm4Moe("IQ4_XS"),
    cards: 1,
    settings: { contextTokens: 32_768 },
  },
  {
    name: "glm4moe 106B, split 30:18, experts away",
    model: () => glm4Moe("Q4_K"),
    cards: 2,
    settings: { tensorSplit: [30, 18], cpuExpertLayers: 30 },
  },
  {
    name: "nemotron_h_moe 30B",
    model: () => nemotronH("Q4_K"),
    cards: 1,
    settings: { contextTokens: 65_536 },
  },
  { name: "rwkv7 2.9B", model: () => rwkv7("Q8_0"), cards: 1 },
];
