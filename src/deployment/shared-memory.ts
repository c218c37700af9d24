import { GIB } from "../core/index.ts";

/** Engines whose processes talk through /dev/shm as soon as there is more than one of them. */
const TALK_BY_SHM = new Set(["vllm", "sglang", "triton-vllm", "tensorrt-llm", "ktransformers"]);

/**
 * Bytes of /dev/shm where the spec names none and the 64 MiB of a container are too few: a process a card with NCCL
 * between them ends with "No space left on device", and Triton's Python backend needs some for itself. 2 GiB are what
 * vLLM's own manifests give (docs.vllm.ai, Using Kubernetes), 1 GiB what NVIDIA's commands for Triton do.
 */
export function sharedMemoryFor(kind: string, cards: number): number | undefined {
  if (cards > 1 && TALK_BY_SHM.has(kind)) return 2 * GIB;
  return kind === "triton-vllm" ? GIB : undefined;
}
