import type { PlannedService } from "../../plan/plan.ts";
import type { EngineOptions, EnginePlace } from "../start.ts";
import { cardsOf } from "./engine-command.ts";

type Variables = Readonly<Record<string, string>>;

/**
 * Cards are counted in the order of their PCI addresses, as nvidia-smi counts them; CUDA alone would put the fastest
 * first, and a split over unequal cards would land on the wrong ones (CUDA C Programming Guide, CUDA_DEVICE_ORDER).
 */
export const cudaOrder = (service: PlannedService): Variables =>
  cardsOf(service).length === 0 ? {} : { CUDA_DEVICE_ORDER: "PCI_BUS_ID" };

/**
 * The placement's own order of several cards, by UUID: a split over unequal cards is a list in that order, and a container
 * numbers its cards by their addresses, whatever list they were asked for with. Not for vLLM, which takes a UUID for a
 * number and ends (vLLM #20939, #46132), nor where the device plugin may have handed over other cards.
 */
export function cardOrder(service: PlannedService, place: EnginePlace): Variables {
  const cards = cardsOf(service);
  const { uuids = [], runtime } = service;
  const handed = runtime !== "kubernetes" || place.pinnedByUuid === true;
  return cards.length > 1 && uuids.length === cards.length && handed
    ? { CUDA_VISIBLE_DEVICES: uuids.join(",") }
    : {};
}

/**
 * Weights that lie on a disk are read from there: without this the Hugging Face libraries ask the hub for newer files at
 * each start, and in a network without a way out they wait for it (huggingface_hub, environment variables).
 */
export const hubOffline = (modelPath: string): Variables =>
  modelPath.startsWith("/") ? { HF_HUB_OFFLINE: "1" } : {};

/** A node that tells nobody what it serves (docs.vllm.ai, usage statistics). */
export const NO_USAGE_STATS: Variables = { VLLM_NO_USAGE_STATS: "1" };

/**
 * PyTorch grows its segments instead of holding blocks of fixed size, so that memory which the plan counts as free is not
 * lost between them. Not where ranks share buffers: custom all-reduce exports them by cudaIpcGetMemHandle, which refuses
 * such memory, and the engine ends at its first graph (vLLM #42609, #49101, #56180); nor where the cache is offloaded,
 * which needs memory that stays where it is (vLLM #54351). PyTorch 2.10 renamed the variable and still reads this name.
 */
export function expandableSegments(service: PlannedService, options: EngineOptions): Variables {
  const alone = (service.tensorParallel ?? 1) === 1 && (options.dataParallel ?? 1) === 1;
  return alone && options.kvCacheOffload === undefined
    ? { PYTORCH_CUDA_ALLOC_CONF: "expandable_segments:True" }
    : {};
}
