import { OmniError } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Fleet } from "./fleet.ts";
import type { Choice, Option, Problem, Solution } from "./solve/problem.ts";

/** Assumed: a core reads 10 GB/s of weights, a socket 60 GB/s whatever its cores, and a person waits for 4 tokens a second. */
const READING = { core: 10e9, socket: 60e9, tokens: 4 } as const;

/** Weights that are read for a token: of the routed experts only those in use. Bytes. */
function activeBytes({ experts, expertParameters, parameters, weightBytes }: ModelShape): number {
  if (experts === undefined || experts.count === 0 || parameters === 0) return weightBytes;
  return weightBytes * (1 - (expertParameters / parameters) * (1 - experts.used / experts.count));
}

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
    const shape = demand?.shape;
    if (candidate === undefined || candidate.kind.remote || candidate.cards.length > 0) return false;
    if (settings?.devices.kind !== "auto" || demand?.takesTurns !== true) return false;
    if (shape === undefined || shape instanceof OmniError) return false;
    const cores = fleet.machines[choice?.node ?? -1]?.cores ?? 1;
    const quick = Math.min(cores * READING.core, READING.socket) / READING.tokens;
    return activeBytes(shape) > quick && candidates.some((other) => isOnCards(other));
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
