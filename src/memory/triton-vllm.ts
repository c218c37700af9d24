import { formatBytes, GIB, MIB } from "../core/index.ts";
import { CUDA_CONTEXT } from "./cuda-overhead.ts";
import type { MemoryModel } from "./memory-model.ts";
import type { PagedEngine } from "./paged-engine.ts";
import { pagedModel } from "./paged-model.ts";
import { VLLM } from "./vllm.ts";

/** Triton's own context and its CUDA pool (`--cuda-memory-pool-byte-size`, 64 MiB a card), beside those of vLLM. */
const SERVER_ON_CARD = 300 * MIB + 64 * MIB;
/** Triton's process, its pinned pool (`--pinned-memory-pool-byte-size`, 256 MiB) and the Python stub of the backend. */
const SERVER_IN_MEMORY = 1.5 * GIB + 256 * MIB;
/** Tensors between the server and the Python stub (`shm-default-byte-size`) and between vLLM's ranks: /dev/shm. */
const SHARED_MEMORY = 64 * MIB;
const SHARED_MEMORY_PER_RANK = GIB;

const BESIDE = CUDA_CONTEXT + SERVER_ON_CARD;

/** vLLM inside Triton: vLLM's arithmetic, and a server that holds a context of its own on every card. */
const TRITON_VLLM: PagedEngine = {
  ...VLLM,
  title: "vLLM in Triton",
  parts: (work) => [...VLLM.parts(work), { term: "overhead", name: "Triton server", bytes: SERVER_ON_CARD }],
  kvRoom: (work, parts) => VLLM.kvRoom(work, parts) + SERVER_ON_CARD,
  fractionWithin: (card, ranks) => VLLM.fractionWithin({ ...card, free: card.free - SERVER_ON_CARD }, ranks),
  claimed: (card, fraction) => VLLM.claimed(card, fraction) + SERVER_ON_CARD,
  share: (card, fraction) =>
    `${fraction} of ${formatBytes(card.total)} and ${formatBytes(BESIDE)} of CUDA contexts`,
  host: (settings, ranks) => [
    ...VLLM.host(settings, ranks),
    { term: "overhead", name: "Triton server", bytes: SERVER_IN_MEMORY },
    {
      term: "overhead",
      name: "shared memory",
      bytes: SHARED_MEMORY + (ranks > 1 ? SHARED_MEMORY_PER_RANK * ranks : 0),
    },
  ],
};

/** vLLM as a backend of NVIDIA Triton. */
export const tritonVllm: MemoryModel = pagedModel(TRITON_VLLM);
