import { type EngineVersion, isBefore } from "./engine-version.ts";

/** What differs between releases of vLLM, alone or as the backend of Triton. */
export interface VllmDialect {
  /** Prompts longer than one step have to be allowed (vLLM #11061: always so in V1). */
  readonly asksForChunkedPrefill: boolean;
  /** `kv_cache_memory_bytes` exists (vLLM #21489). */
  readonly kvCacheBytes: boolean;
  /** `kv_offloading_size` and its backends exist. */
  readonly kvOffloading: boolean;
}

/** First versions: vLLM's own, and Triton's release that carries it (24.12 has 0.5.5, 25.04 has 0.8.1). */
const SINCE = {
  vllm: { v1: [0, 8], kvCacheBytes: [0, 11], kvOffloading: [0, 12] },
  triton: { v1: [25, 5], kvCacheBytes: [25, 12], kvOffloading: [26, 2] },
} as const;

/** What a release understands; the newest where the version is not known. */
export function vllmDialect(of: keyof typeof SINCE, version: EngineVersion | undefined): VllmDialect {
  const since = SINCE[of];
  return {
    asksForChunkedPrefill: isBefore(version, since.v1),
    kvCacheBytes: !isBefore(version, since.kvCacheBytes),
    kvOffloading: !isBefore(version, since.kvOffloading),
  };
}
