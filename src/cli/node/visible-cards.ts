import { isMainMemory } from "../../plan/memory-device.ts";
import type { PlannedService } from "../../plan/plan.ts";
import type { CardIdentity } from "./card-identities.ts";

/** Engines that take a UUID in CUDA_VISIBLE_DEVICES for a number and end (vLLM #20939). */
const BY_NUMBER: ReadonlySet<string> = new Set([
  "vllm",
  "triton-vllm",
  "sglang",
  "ktransformers",
  "tensorrt-llm",
]);

/**
 * The variables that show a process its cards and no others: by UUID, which survives a card that is moved, or by number in
 * PCI order where the engine takes nothing else. None where the identity of a card is not known; a service on the
 * processor sees no card.
 */
export function visibleCards(
  kind: string,
  { devices }: PlannedService,
  cards: ReadonlyMap<string, CardIdentity>,
): Readonly<Record<string, string>> {
  const wanted = devices.filter((device) => !isMainMemory(device));
  if (wanted.length === 0) return { CUDA_VISIBLE_DEVICES: "" };
  const known = wanted.flatMap((device) => cards.get(device) ?? []);
  const uuids = known.flatMap(({ uuid }) => uuid ?? []);
  const indices = known.flatMap(({ index }) => index ?? []);
  const order = { CUDA_DEVICE_ORDER: "PCI_BUS_ID" };
  if (!BY_NUMBER.has(kind) && uuids.length === wanted.length)
    return { ...order, CUDA_VISIBLE_DEVICES: uuids.join(",") };
  return indices.length === wanted.length ? { ...order, CUDA_VISIBLE_DEVICES: indices.join(",") } : {};
}
