import { cardsOf } from "./engine-command.ts";
import type { PlannedService } from "../../plan/plan.ts";

type Variables = Readonly<Record<string, string>>;

/**
 * Cards are counted in the order of their PCI addresses, as nvidia-smi counts them; CUDA alone would put the fastest
 * first, and a split over unequal cards would land on the wrong ones (CUDA C Programming Guide, CUDA_DEVICE_ORDER).
 */
export const cudaOrder = (service: PlannedService): Variables =>
  cardsOf(service).length === 0 ? {} : { CUDA_DEVICE_ORDER: "PCI_BUS_ID" };

/**
 * Weights that lie on a disk are read from there: without this the Hugging Face libraries ask the hub for newer files at
 * each start, and in a network without a way out they wait for it (huggingface_hub, environment variables).
 */
export const hubOffline = (modelPath: string): Variables =>
  modelPath.startsWith("/") ? { HF_HUB_OFFLINE: "1" } : {};

/**
 * PyTorch grows its segments instead of holding blocks of fixed size, so that memory which the plan counts as free is not
 * lost between them. PyTorch 2.9 renamed the variable and still reads this name (CUDA semantics, memory management).
 */
export const EXPANDABLE_SEGMENTS: Variables = { PYTORCH_CUDA_ALLOC_CONF: "expandable_segments:True" };
