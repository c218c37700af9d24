import type { Spec } from "../spec/index.ts";
import { visibleCards } from "./gpu-environment.ts";
import { cardsOfService } from "./hardware.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

type Service = Spec["services"][string];

/** `nvidia.com/gpu` and its kin among what the owner writes to the pod. */
function countedResource(service: Service): { readonly key: string; readonly list: string } | undefined {
  for (const list of ["limits", "requests"] as const) {
    const entry = Object.entries(service.resources?.[list] ?? {}).find(
      ([key, value]) => key.startsWith("nvidia.com/") && Number(value) !== 0,
    );
    if (entry !== undefined) return { key: entry[0], list };
  }
  return undefined;
}

function countedAndPinned({ spec }: AdviceInput): readonly Finding[] {
  const { pinning } = spec.runtime.kubernetes;
  return Object.entries(spec.services).flatMap(([name, service]): Finding[] => {
    if (service.runtime !== "kubernetes" || service.devices.kind === "cpu") return [];
    const byHand = visibleCards(spec, name).find(({ value }) => value !== "" && value !== "all");
    const counted = countedResource(service);
    const consequence =
      "the kubelet books one card and the container uses the other, so that a second pod can land on a card in use";
    if (counted !== undefined && (byHand !== undefined || (pinning ?? "uuid") === "uuid"))
      return [
        {
          at: ["services", name, "resources", counted.list, counted.key],
          message: `${counted.key} in ${counted.list} lets the device plugin choose a card, and ${byHand === undefined ? "pinning: uuid makes Omni write NVIDIA_VISIBLE_DEVICES" : `${byHand.variable}=${byHand.value} names one`}: ${consequence}.`,
          hint: `Remove resources.${counted.list}.${counted.key}; devices names the card and Omni writes its UUID.`,
        },
      ];
    if (byHand !== undefined && pinning !== undefined && pinning !== "uuid")
      return [
        {
          at: byHand.at,
          message: `${byHand.variable}=${byHand.value} names a card by hand under pinning: ${pinning}, which counts cards: ${consequence}.`,
          hint: `Remove ${byHand.variable}, or pinning: uuid`,
        },
      ];
    return [];
  });
}

/** A variable that shows another card than the one the service is planned on. */
function pinnedElsewhere({ spec }: AdviceInput): readonly Finding[] {
  return Object.entries(spec.services).flatMap(([name, service]) => {
    if (service.devices.kind !== "gpus") return [];
    const cards = cardsOfService(spec, service);
    const own = new Set(cards.map((card) => card.gpu.uuid));
    if (own.has(undefined)) return [];
    return visibleCards(spec, name)
      .filter(({ uuids }) => uuids.length > 0 && !uuids.every((uuid) => own.has(uuid)))
      .map(({ at, variable, value }) => ({
        at,
        message: `devices puts ${name} on ${cards.map((card) => `${card.name} (${card.gpu.uuid ?? ""})`).join(", ")}, and ${variable}=${value} shows it another card: what is planned on one is loaded on the other.`,
        hint: `Remove ${variable}; Omni writes the UUID of the card in devices.`,
      }));
  });
}

/** Cards that a service holds by name or by a UUID in its environment. */
function heldCards(spec: Spec, name: string, service: Service): readonly string[] {
  const named = service.devices.kind === "gpus" ? cardsOfService(spec, service) : [];
  const uuids = new Set(visibleCards(spec, name).flatMap((visible) => visible.uuids));
  const shown = cardsOfService(spec, service).filter((card) => uuids.has(card.gpu.uuid ?? ""));
  return [...new Set([...named, ...shown].map((card) => `${card.machine}/${card.name}`))];
}

/** A card that one service will not share, and another one uses. */
function exclusiveTwice({ spec }: AdviceInput): readonly Finding[] {
  const holders = new Map<string, string[]>();
  for (const [name, service] of Object.entries(spec.services)) {
    for (const card of heldCards(spec, name, service))
      holders.set(card, [...(holders.get(card) ?? []), name]);
  }
  return [...holders].flatMap(([card, names]) => {
    const exclusive = names.find((name) => spec.services[name]?.sharing === "exclusive");
    const other = names.find((name) => name !== exclusive);
    if (exclusive === undefined || other === undefined) return [];
    return [
      {
        at: ["services", exclusive, "sharing"],
        message: `${exclusive} wants ${card.slice(card.indexOf("/") + 1)} for itself, and ${other} is on the same card.`,
        hint: `Put ${other} on another card, or sharing: shared (both loaded) or swap (by turns)`,
      },
    ];
  });
}

/** A card that is held in two ways at once, which do not know of each other. */
export const gpuDoublePinned: Rule = {
  code: "gpu-double-pinned",
  severity: "error",
  source:
    "https://github.com/NVIDIA/k8s-device-plugin/issues/87; kubelet_pods.go: variables of the pod follow those of the plugin",
  find: (input) => [...countedAndPinned(input), ...pinnedElsewhere(input), ...exclusiveTwice(input)],
};
