import { nearest } from "../core/index.ts";
import { visibleCards } from "./gpu-environment.ts";
import { allCards } from "./hardware.ts";
import type { Card } from "./hardware.ts";
import type { Rule } from "./rule.ts";

const MOST = 8;

/** `the cards of the spec are big GPU-…, small without a UUID`. */
function cardList(cards: readonly Card[]): string {
  const some = cards.slice(0, MOST).map((card) => `${card.name} ${card.gpu.uuid ?? "without a UUID"}`);
  const more = cards.length > MOST ? ` and ${cards.length - MOST} more` : "";
  return `the cards of the spec are ${some.join(", ")}${more}`;
}

/** A UUID in a service's environment that no card of the spec has. */
export const gpuUuidUnknown: Rule = {
  code: "gpu-uuid-unknown",
  severity: "error",
  source: "nvidia-smi -L; NVIDIA container toolkit: NVIDIA_VISIBLE_DEVICES takes UUIDs of this machine only",
  find: ({ spec }) => {
    const cards = allCards(spec);
    const known = cards.flatMap((card) => (card.gpu.uuid === undefined ? [] : [card.gpu.uuid]));
    if (cards.length === 0) return [];
    const without = cards.filter((card) => card.gpu.uuid === undefined);
    return Object.keys(spec.services).flatMap((name) =>
      visibleCards(spec, name).flatMap(({ uuids, variable, at }) =>
        uuids
          // CUDA takes an unambiguous beginning, too.
          .filter((uuid) => !known.some((one) => one.toLowerCase().startsWith(uuid.toLowerCase())))
          .map((uuid) => {
            const near = nearest(uuid, known);
            return {
              at,
              message: `${variable} names ${uuid}, and ${cardList(cards)}; the container starts without a card.`,
              hint:
                near === undefined
                  ? `Remove ${variable} and name the card: devices: ${cards[0]?.name ?? ""}`
                  : `${variable}: ${near}`,
              ...(without.length > 0 ? { severity: "warning" as const } : {}),
            };
          }),
      ),
    );
  },
};
