import { GIB, MIB } from "../core/index.ts";

/** CUDA context of one process on one card, bytes. vLLM's logs show 0.41 to 0.53 GiB (total less free at start). */
export const CUDA_CONTEXT = 0.45 * GIB;
/** Logged on four cards: 0.2 to 1.7 GiB. */
const COLLECTIVE_BYTES_PER_RANK = 128 * MIB;

/** NCCL's buffers on each card of so many that work on one model, bytes. */
export const collectiveBytes = (ranks: number): number => (ranks > 1 ? ranks * COLLECTIVE_BYTES_PER_RANK : 0);
