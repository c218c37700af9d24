import { formatBytes } from "../core/index.ts";
import { isMainMemory } from "../plan/memory-device.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Spec } from "../spec/index.ts";
import { allCards, cardsOfService } from "./hardware.ts";
import type { AdviceInput, Rule } from "./rule.ts";

type Service = Spec["services"][string];

/** Whether each copy holds cards that no other pod may be given. */
function holdsWholeCards(spec: Spec, service: Service): boolean {
  const limits = Object.keys(service.resources?.limits ?? {});
  const { pinning } = spec.runtime.kubernetes;
  return (
    service.sharing === "exclusive" ||
    (service.runtime === "kubernetes" &&
      (limits.some((key) => key.startsWith("nvidia.com/")) ||
        pinning === "device-plugin" ||
        pinning === "dra"))
  );
}

/** The first card on which two copies would not fit, with the arithmetic. */
function crowded(planned: PlannedService | undefined, service: Service): string | undefined {
  const card = planned?.memory.find(
    ({ device, total, capacity }) => device !== "cpu" && !device.endsWith("/cpu") && 2 * total > capacity,
  );
  if (card !== undefined)
    return `two copies take 2 × ${formatBytes(card.total)} = ${formatBytes(2 * card.total)} of the ${formatBytes(card.capacity)} of ${card.device}`;
  const share = service.memoryFraction;
  return planned === undefined && share !== undefined && share > 0.5
    ? `two copies want 2 × ${share} = ${Number((2 * share).toFixed(4))} of each card`
    : undefined;
}

/** Why the second copy of a rolling update would wait for ever. */
function reasonOf({ spec, plan }: AdviceInput, name: string, service: Service): string | undefined {
  const planned = plan.services.find((placed) => placed.name === name);
  const cards = cardsOfService(spec, service).length;
  const needed =
    service.devices.kind === "gpus"
      ? cards
      : (planned?.devices.filter((device) => !isMainMemory(device)).length ?? 0);
  if (needed === 0) return undefined;
  if (holdsWholeCards(spec, service)) {
    const there = service.devices.kind === "gpus" ? cards : allCards(spec).length;
    // One more pod than there are replicas is started first (maxSurge).
    const wanted = needed * (service.replicas + 1);
    if (wanted <= there) return undefined;
    return `each copy holds ${needed === 1 ? "a card" : `${needed} cards`} of its own, ${service.replicas + 1} copies need ${wanted} and ${there} ${there === 1 ? "is" : "are"} there`;
  }
  return crowded(planned, service);
}

/** A rolling update whose new copy can only start when the old one is gone, which waits for the new one. */
export const rollingUpdateDeadlock: Rule = {
  code: "rolling-update-deadlock",
  severity: "error",
  source: "Kubernetes, Deployment strategy RollingUpdate: the old pod stays until the new one is ready",
  find: (input) =>
    Object.entries(input.spec.services).flatMap(([name, service]) => {
      const reason = service.strategy === "rolling" ? reasonOf(input, name, service) : undefined;
      return reason === undefined
        ? []
        : [
            {
              at: ["services", name, "strategy"],
              message: `strategy: rolling starts the new ${name} beside the old one, and ${reason}: the new one waits for the old one's card, the old one for the new one to be ready.`,
              hint: "strategy: recreate",
            },
          ];
    }),
};
