import type { Code } from "../core/index.ts";
import type { ModelShape, WeightScheme } from "../models/model-shape.ts";

/** A card as a memory model sees it. Bytes. */
export interface DeviceRoom {
  readonly name: string;
  /** Memory that a CUDA program sees in all, less than the label says. */
  readonly total: number;
  /** What this service may take of it: what is free after other services and headroom. */
  readonly free: number;
  /** `12.0`; absent for anything that is no CUDA card. */
  readonly computeCapability?: string;
}

/** Main memory as a memory model sees it. Bytes. */
export interface HostRoom {
  readonly free: number;
  readonly threads: number;
}

/** Types of the KV cache by the names of the engines; `auto` is resolved before a prediction. */
export type KvType =
  | "f32"
  | "f16"
  | "bf16"
  | "q8_0"
  | "q5_1"
  | "q5_0"
  | "q4_1"
  | "q4_0"
  | "iq4_nl"
  | "fp8"
  | "nvfp4"
  | "int8";

/** Everything about an engine's start that changes its memory. What an engine does not know it ignores. */
export interface EngineSettings {
  /** Tokens that one request may use. */
  readonly contextTokens: number;
  /** Requests generated at the same time. */
  readonly parallel: number;
  readonly kvKeyType: KvType;
  readonly kvValueType: KvType;
  /** KV cache in main memory instead of on the cards (llama.cpp `--no-kv-offload`). */
  readonly kvOnHost: boolean;
  /** One cache for all parallel requests (llama.cpp `--kv-unified`). */
  readonly kvUnified: boolean;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  /** Share of the layers of each card in order (llama.cpp); by free memory when absent. */
  readonly tensorSplit?: readonly number[];
  /** Layers on cards, output head included (llama.cpp `-ngl`). */
  readonly gpuLayers: number;
  /** First layers whose experts stay in main memory (llama.cpp `--n-cpu-moe`). */
  readonly cpuExpertLayers: number;
  /** Tensors by name to main memory (llama.cpp `-ot REGEX=CPU`). */
  readonly cpuTensors?: readonly string[];
  /** Experts of each layer on the card (KTransformers). */
  readonly gpuExperts?: number;
  /** Tokens of one step (llama.cpp `-b`, vLLM `--max-num-batched-tokens`). */
  readonly batchTokens: number;
  /** Tokens computed at once (llama.cpp `-ub`). */
  readonly microBatchTokens: number;
  readonly flashAttention: boolean;
  readonly cudaGraphs: boolean;
  /** Share of each card that the engine takes (vLLM, SGLang, TensorRT-LLM). */
  readonly memoryFraction?: number;
  /** Bytes a card for the KV cache, in place of the fraction's remainder (vLLM `--kv-cache-memory-bytes`). */
  readonly kvBytes?: number;
  /** Threads that compute. */
  readonly threads: number;
}

/** One named part of a term, such as `KV cache, sliding window` or `CUDA context`. Bytes. */
export interface MemoryPart {
  readonly term: "weights" | "kvCache" | "compute" | "overhead";
  readonly name: string;
  readonly bytes: number;
}

/** What an engine takes on one device, or of main memory. Bytes; `total` is the sum of the four terms. */
export interface DeviceMemory {
  readonly weights: number;
  /** Keys, values, indexer keys and recurrent states. */
  readonly kvCache: number;
  /** Activations, logits, scratch. */
  readonly compute: number;
  /** CUDA context, libraries' workspace, graphs, process. */
  readonly overhead: number;
  readonly total: number;
  /** The parts that make up the terms, in a fixed order. */
  readonly parts: readonly MemoryPart[];
}

export interface KvPrediction {
  /** Bytes of one token over all layers and cards; layers with a window or a state are not in it. */
  readonly bytesPerToken: number;
  /** All KV cache of all cards and main memory. */
  readonly bytes: number;
  /** Tokens it holds over all requests. */
  readonly tokens: number;
  /** Requests of full context that it holds at once: `tokens / contextTokens` where all layers attend fully. */
  readonly concurrency: number;
  readonly type: string;
}

export interface MemoryPrediction {
  /** In the order of the cards that were given. */
  readonly devices: readonly DeviceMemory[];
  readonly host: DeviceMemory;
  readonly kv: KvPrediction;
  readonly settings: EngineSettings;
}

/** What the owner asked for; absent means that the fit may choose. */
export type Wishes = Partial<EngineSettings> & {
  /** Cards only, experts and layers included: main memory may not take what does not fit. */
  readonly resident?: boolean;
  /** Whole experts spread over the cards instead of a share of each (`--enable-expert-parallel`). */
  readonly expertParallel?: boolean;
  /** Scheme of the experts in main memory where it is not the file's own (KTransformers `--kt-method`). */
  readonly hostExperts?: WeightScheme;
  /** Declared memory of an engine that cannot be computed (ComfyUI), bytes. */
  readonly declared?: { readonly vram?: number; readonly memory?: number };
};

export interface FitRequest {
  readonly shape: ModelShape | undefined;
  readonly wishes: Wishes;
  /** The cards in order; empty for the processor alone. All are used. */
  readonly devices: readonly DeviceRoom[];
  readonly host: HostRoom;
}

export type Fit =
  | { readonly fits: true; readonly prediction: MemoryPrediction; readonly resident: boolean }
  | {
      readonly fits: false;
      readonly code: Code;
      /** The arithmetic, for a person: what is needed of what, where, and what is there. */
      readonly reason: string;
      /** What would fit, with numbers, when something would. */
      readonly hint: string;
      /** The smallest demand that was tried, for comparison. */
      readonly prediction?: MemoryPrediction;
    };

/** The memory of one kind of engine. Pure arithmetic: same input, same bytes. */
export interface MemoryModel {
  /** Bytes for exactly these settings on exactly these cards; says nothing about whether they fit. */
  predict(
    shape: ModelShape | undefined,
    settings: EngineSettings,
    devices: readonly DeviceRoom[],
    wishes?: Wishes,
  ): MemoryPrediction;
  /** The inverse: the largest context and concurrency within the wishes that fit these cards and this main memory. */
  fit(request: FitRequest): Fit;
}
