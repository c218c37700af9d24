import { activeBytes, quickBytes } from "../memory/index.ts";
import type { Fleet } from "./fleet.ts";
import { knownShape } from "./known-shape.ts";
import type { Choice, Option, Problem, Solution } from "./solve/problem.ts";

/**
 * A problem and its choice in which services that would answer too slowly on a processor, where nobody put them, wait for
 * a turn on cards instead: without a choice, and with options on cards alone. Nothing changes for all others. Pure.
 */
export function waitingForCards(
  fleet: Fleet,
  solution: Solution,
): { readonly problem: Problem; readonly solution: Solution } {
  const waits = (item: number): boolean => {
    const { demand, settings } = fleet.wanted[item] ?? {};
    const choice = solution.choices[item];
    const candidates = fleet.candidates[item] ?? [];
    const candidate = candidates[choice?.option ?? -1];
    const shape = knownShape(demand?.shape);
    if (candidate === undefined || candidate.kind.remote || candidate.cards.length > 0) return false;
    if (settings?.devices.kind !== "auto" || demand?.takesTurns !== true) return false;
    if (shape === undefined) return false;
    const cores = fleet.machines[choice?.node ?? -1]?.cores ?? 1;
    return activeBytes(shape) > quickBytes(cores) && candidates.some((other) => isOnCards(other));
  };
  const waiting = new Set([...solution.choices.keys()].filter(waits));
  if (waiting.size === 0) return { problem: fleet.problem, solution };
  const items = fleet.problem.items.map((item, index) =>
    waiting.has(index)
      ? {
          ...item,
          options: item.options.map((option, position) =>
            isOnCards(fleet.candidates[index]?.[position]) ? option : impossible(option),
          ),
        }
      : item,
  );
  const choices = solution.choices.map((choice, item): Choice | undefined =>
    waiting.has(item) ? undefined : choice,
  );
  return { problem: { ...fleet.problem, items }, solution: { ...solution, choices } };
}

const isOnCards = (candidate: Fleet["candidates"][number][number] | undefined): boolean =>
  candidate !== undefined && candidate.cards.length > 0 && candidate.resident;

/** The option on a kind of node that there is none of. */
const impossible = (option: Option): Option => ({ ...option, kind: -1, node: 0 });
