import { CODES } from "../core/index.ts";
import type { Service } from "../spec/spec.ts";
import type { Refusal } from "./candidates.ts";
import type { PlanMachine } from "./machines.ts";

/**
 * Why the cards that a service names are no place for it: one of them is lost, or they are cards of several machines, on
 * which no engine of this node computes together.
 */
export function nowhere(
  { devices, engine: chain }: Service,
  machines: readonly PlanMachine[],
  lost: ReadonlySet<string>,
): readonly (Refusal & { machine: PlanMachine })[] {
  const named = devices.kind === "gpus" ? devices.gpus : [];
  const gone = named.filter((name) => lost.has(name));
  const why = gone.length > 0 ? isLost(gone) : areApart(named, machines);
  return machines
    .slice(0, 1)
    .flatMap((machine) => chain.map((engine, rank) => ({ engine, rank, cards: [], machine, ...why })));
}

type Why = Pick<Refusal, "code" | "reason" | "hint">;

const isLost = (gone: readonly string[]): Why => ({
  code: "gpu.lost",
  reason: `it is bound to ${gone.join(" and ")}, which ${gone.length === 1 ? "is" : "are"} lost`,
  hint: `${CODES["gpu.lost"].remedy} devices: auto lets it go elsewhere.`,
});

function areApart(named: readonly string[], machines: readonly PlanMachine[]): Why {
  const owners = named.map((name) => {
    const own = machines.filter(({ cards }) => cards.some((card) => card.id === name || card.name === name));
    return `${name} is a card of ${own.map((machine) => machine.name).join(" and ") || "no machine"}`;
  });
  return {
    code: "plan.no-device",
    reason: `it wants ${named.join(" and ")} together, and ${owners.join(", ")}; an engine runs on the cards of one machine`,
    hint: "Name cards of one machine, or make two services of it and list both in one route.",
  };
}
