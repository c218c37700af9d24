import { formatBytes, MIB, OmniError } from "../core/index.ts";
import { catalogGpu } from "../inventory/index.ts";
import type { GpuInventory, MachineInventory } from "../inventory/index.ts";
import type { ModelShape } from "../models/index.ts";
import { planNode } from "../plan/index.ts";
import type { Plan } from "../plan/index.ts";
import { loadSpec } from "../spec/index.ts";
import { metalOf } from "./init-metal.ts";
import { amount } from "./init-typed.ts";
import type { TypedMap } from "./init-typed.ts";
import type { FoundModel } from "./init-models.ts";

/** A service that the spec should have. */
export interface ChosenService {
  readonly name: string;
  readonly model: FoundModel;
  /** Engines in order, and where they may compute. */
  readonly engine: readonly string[];
  readonly devices: "auto" | "cpu";
  readonly contextTokens: number;
  readonly embeddings: boolean;
  /** All weights where they compute fastest. */
  readonly resident: boolean;
  /** Where it was planned beside the others. */
  readonly place: { readonly engine: string; readonly devices: "cpu" | readonly string[] };
  /** The decision with its numbers, for a person. */
  readonly why: string;
}

/** A way to run a service: its engines, of which the first is planned, and contexts to try, longest first. */
interface Way {
  readonly engine: readonly [string, ...string[]];
  readonly devices: "auto" | "cpu";
  readonly contexts: readonly number[];
}

const ON_CARDS: Way = {
  engine: ["llama.cpp", "embedded"],
  devices: "auto",
  contexts: [32_768, 16_384, 8192, 4096, 2048],
};
/** A processor takes minutes to read a longer prompt. */
const ON_PROCESSOR: Way = { engine: ["embedded"], devices: "cpu", contexts: [8192, 4096, 2048] };

/** Architectures that make vectors of texts and write nothing. */
export const isEmbedder = ({ architecture }: ModelShape): boolean =>
  /bert|embed|t5encoder/.test(architecture);

/** A machine for the planner, with what is free on it now. */
export interface Draft {
  readonly machine: MachineInventory;
  readonly metal: TypedMap;
  readonly hasCards: boolean;
}

/** The machine with these of its cards; without any, the processor serves. */
export function draftOf(machine: MachineInventory, cards: readonly GpuInventory[]): Draft {
  const free = cards.map((gpu) => {
    const total = gpu.memoryTotal ?? catalogGpu(gpu)?.memory ?? 0;
    return { ...gpu, memoryTotal: Math.max(MIB, total - (gpu.memoryUsed ?? 0)) };
  });
  const { cpu, memory, gpus } = metalOf({ ...machine, gpus: free });
  const bare: Draft = {
    machine,
    metal: { cpu, memory, gpus: gpus.value },
    hasCards: Object.keys(gpus.value).length > 0,
  };
  // What the plan of the written spec will count on, unless less is free today.
  const byRule = planDraft([], bare).ledger?.find(({ kind }) => kind === "memory")?.capacity;
  const available = amount(Math.min(machine.memory.available, byRule ?? machine.memory.available));
  return { ...bare, metal: { ...bare.metal, memory: { ...memory, available } } };
}

export interface Candidate {
  readonly name: string;
  readonly model: FoundModel;
  readonly shape: ModelShape;
}

/**
 * The service planned beside the others, or why it cannot be: on cards alone, else on the processor when that is quick
 * enough, else on both.
 */
export function place(
  candidate: Candidate & { readonly quick: boolean },
  beside: readonly ChosenService[],
  draft: Draft,
): ChosenService | string {
  const onCards = draft.hasCards ? longest(candidate, beside, draft, ON_CARDS) : "there is no card";
  if (typeof onCards !== "string" && onCards.resident) return onCards;
  const onProcessor = longest(candidate, beside, draft, ON_PROCESSOR);
  if (typeof onCards === "string")
    return typeof onProcessor === "string" && draft.hasCards ? onCards : onProcessor;
  return candidate.quick && typeof onProcessor !== "string" ? onProcessor : onCards;
}

/**
 * With the longest context that takes no more cards and moves no weights off them than the shortest one does. That is
 * tried first: what does not fit with it needs no further questions.
 */
function longest(
  candidate: Candidate,
  beside: readonly ChosenService[],
  draft: Draft,
  way: Way,
): ChosenService | string {
  const trained =
    candidate.shape.trainedContext > 0 ? candidate.shape.trainedContext : Number.MAX_SAFE_INTEGER;
  const contexts = [...new Set(way.contexts.map((tokens) => Math.min(tokens, trained)))];
  const shortest = placeWith({ ...candidate, way, contextTokens: contexts.at(-1) ?? 1 }, beside, draft);
  if (typeof shortest === "string") return shortest;
  for (const contextTokens of contexts.slice(0, -1)) {
    const chosen = placeWith({ ...candidate, way, contextTokens }, beside, draft);
    if (typeof chosen === "string") continue;
    if (chosen.resident === shortest.resident && cardsOf(chosen) <= cardsOf(shortest)) return chosen;
  }
  return shortest;
}

const cardsOf = ({ place }: ChosenService): number => (place.devices === "cpu" ? 0 : place.devices.length);

interface Attempt extends Candidate {
  readonly way: Way;
  readonly contextTokens: number;
}

function placeWith(attempt: Attempt, beside: readonly ChosenService[], draft: Draft): ChosenService | string {
  const { name, model, shape, way, contextTokens } = attempt;
  const plan = planDraft(
    [
      ...beside.map((one) => ({ ...one, ...one.place, priority: 9 })),
      { ...attempt, engine: way.engine[0], devices: way.devices, priority: 0 },
    ],
    draft,
  );
  const planned = plan.services.find((one) => one.name === name);
  const gone = beside.filter((other) => plan.services.every((one) => one.name !== other.name));
  if (planned === undefined || planned.band === "over" || gone.length > 0)
    return (
      plan.rejected.find((one) => one.service === name && one.alternative !== true)?.reason ??
      `it leaves no room for ${gone.map((other) => other.name).join(", ") || "itself"}`
    );
  const cards = planned.devices.filter((device) => device !== "cpu");
  if (cards.length === 0 && way.devices === "auto") return "no card has room for any of it";
  return {
    name,
    model,
    engine: way.engine,
    devices: way.devices,
    contextTokens,
    embeddings: isEmbedder(shape),
    resident: planned.resident !== false,
    place: { engine: planned.engine.name, devices: cards.length === 0 ? "cpu" : cards },
    why: whyOf(planned),
  };
}

function whyOf({ memory, engine, resident }: Plan["services"][number]): string {
  const parts = memory
    .filter(({ total }) => total > 0)
    .map(({ device, total, capacity }) =>
      device === "cpu"
        ? `${formatBytes(total)} of ${formatBytes(capacity)} main memory`
        : `${formatBytes(total)} of ${formatBytes(capacity)} on ${device}`,
    );
  return `${engine.name} takes ${parts.join(" and ")}${resident === false ? ", a part of the weights in main memory" : ""}`;
}

interface DraftService {
  readonly name: string;
  readonly model: FoundModel;
  readonly engine: string;
  readonly devices: string | readonly string[];
  readonly contextTokens: number;
  readonly priority: number;
}

/** Plans services on the machine as it is now. Without turns: what takes turns makes clients wait. */
function planDraft(services: readonly DraftService[], { machine, metal }: Draft): Plan {
  // JSON is YAML: any name and path survives the quoting.
  const text = JSON.stringify({
    omni: 1,
    metal,
    models: Object.fromEntries(services.map(({ model }) => [model.name, { source: { file: model.path } }])),
    services: Object.fromEntries(
      services.map(({ name, model, engine, devices, contextTokens, priority }) => [
        name,
        { model: model.name, engine, devices, context: contextTokens, priority },
      ]),
    ),
    policies: { swap: { mode: "off" } },
  });
  const { spec, diagnostics } = loadSpec(text, "draft");
  if (spec === undefined)
    throw new OmniError("cli.internal", "The draft for this machine is not valid.", { diagnostics });
  const shapes = new Map(
    services.flatMap(({ model: { name, shape } }) => (shape === undefined ? [] : [[name, shape] as const])),
  );
  return planNode({ spec, shapes, observed: machine });
}
