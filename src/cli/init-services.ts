import { formatBytes, MIB, OmniError } from "../core/index.ts";
import { catalogGpu } from "../inventory/index.ts";
import type { GpuInventory, MachineInventory } from "../inventory/index.ts";
import type { ModelShape } from "../models/index.ts";
import { planNode } from "../plan/index.ts";
import type { Plan } from "../plan/index.ts";
import { loadSpec, serviceName } from "../spec/index.ts";
import { amount, isTypeable, metalOf } from "./init-metal.ts";
import type { TypedMap } from "./init-metal.ts";
import { uniqueName } from "./init-models.ts";
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

interface LeftOut {
  readonly model: FoundModel;
  readonly why: string;
}

export interface Choice {
  readonly services: readonly ChosenService[];
  readonly leftOut: readonly LeftOut[];
}

interface ServiceChoosing {
  readonly machine: MachineInventory;
  readonly models: readonly FoundModel[];
  /** A llama-server was found, which computes on cards where the embedded engine uses the processor alone. */
  readonly llamaServer: boolean;
}

/** More than these at once is a zoo, not a node; the rest is a comment away. */
const MOST_SERVICES = 4;
/** Each model is planned several times; a collection of hundreds must not take minutes. */
const MOST_TRIED = 40;
/**
 * Assumed, to put models in order: a core reads 10 GB/s of weights, a socket 60 GB/s whatever its cores, and a person
 * waits for four tokens a second.
 */
const READING = { core: 10e9, socket: 60e9, tokens: 4 } as const;
/** Contexts to try, longest first: a card has memory for more, a processor takes minutes to read more. */
const CONTEXTS = { cards: [32_768, 16_384, 8192, 4096, 2048], processor: [8192, 4096, 2048] } as const;

/**
 * The services for the models found on a machine, best first, and for each model that is left out the reason with its
 * numbers. Each is planned beside those chosen before it, with the longest context that leaves all of them in place.
 * Models for chat come before embedders; on a processor, those that answer quickly before the others. Beside cards, a
 * model that would compute on the processor for long is served only when nothing else is.
 */
export function chooseServices({ machine, models, llamaServer }: ServiceChoosing): Choice {
  const cards = llamaServer ? machine.gpus.filter(isUsable) : [];
  const draft = draftOf(machine, cards);
  const services: ChosenService[] = [];
  const slow: ChosenService[] = [];
  const leftOut: LeftOut[] = [];
  const names = new Set<string>(["auto", "cpu"]);
  const quick = quickBytes(machine);
  for (const [tried, model] of inOrder(
    models,
    cards.length > 0 ? Number.POSITIVE_INFINITY : quick,
  ).entries()) {
    const refusal = whyUnusable(model, tried);
    if (model.shape === undefined || refusal !== undefined) {
      leftOut.push({ model, why: refusal ?? "it cannot be read" });
      continue;
    }
    const name = uniqueName(serviceName(model.name) || "model", names, 63);
    const full = services.length >= MOST_SERVICES;
    const chosen = place({ name, model, shape: model.shape }, full ? [] : services, draft);
    if (typeof chosen === "string") leftOut.push({ model, why: chosen });
    else if (full)
      leftOut.push({ model, why: `it fits, but ${MOST_SERVICES} services are enough to begin with` });
    else if (cards.length > 0 && isSlow(chosen, activeBytes(model.shape), quick)) slow.push(chosen);
    else services.push(chosen);
  }
  if (services.length === 0) services.push(...slow.splice(0, 1));
  const slowly = slow.map(({ model, why }) => ({ model, why: `it would answer slowly: ${why}` }));
  return { services, leftOut: [...slowly, ...leftOut] };
}

function whyUnusable(model: FoundModel, tried: number): string | undefined {
  if (model.fault !== undefined) return model.fault;
  if (!isTypeable(model.path))
    return "its path is too long for a spec, or has characters that a spec cannot hold";
  return tried >= MOST_TRIED ? `${MOST_TRIED} larger ones were tried before it` : undefined;
}

const isSlow = ({ resident, place }: ChosenService, active: number, quick: number): boolean =>
  !resident || (place.devices === "cpu" && active > quick);

/** A card that engines of this host can use: one that the driver knows. */
const isUsable = (gpu: GpuInventory): boolean =>
  gpu.vendor === "nvidia" &&
  gpu.uuid !== undefined &&
  (gpu.memoryTotal ?? catalogGpu(gpu)?.memory) !== undefined;

/** Weights that the processor reads for a token within a person's patience. */
const quickBytes = ({ cpu }: MachineInventory): number =>
  Math.min(cpu.cores * READING.core, (cpu.sockets ?? 1) * READING.socket) / READING.tokens;

function inOrder(models: readonly FoundModel[], quick: number): FoundModel[] {
  const rank = ({ shape }: FoundModel): number => {
    if (shape === undefined) return 3;
    if (isEmbedder(shape)) return 1;
    return activeBytes(shape) > quick ? 2 : 0;
  };
  return models.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (rank(a) === 2 ? bytesOf(a) - bytesOf(b) : bytesOf(b) - bytesOf(a)) ||
      a.name.localeCompare(b.name, "en"),
  );
}

const bytesOf = ({ shape }: FoundModel): number => shape?.weightBytes ?? 0;

/** Weights that are read for a token: of the routed experts only those in use. */
function activeBytes(shape: ModelShape): number {
  const { experts, expertParameters, parameters, weightBytes } = shape;
  if (experts === undefined || experts.count === 0 || parameters === 0) return weightBytes;
  return weightBytes * (1 - (expertParameters / parameters) * (1 - experts.used / experts.count));
}

/** Architectures that make vectors of texts and write nothing. */
const isEmbedder = ({ architecture }: ModelShape): boolean => /bert|embed|t5encoder/.test(architecture);

/** A machine for the planner, with what is free on it now. */
interface Draft {
  readonly machine: MachineInventory;
  readonly metal: TypedMap;
  readonly engine: readonly string[];
  readonly devices: "auto" | "cpu";
  readonly contexts: readonly number[];
}

function draftOf(machine: MachineInventory, cards: readonly GpuInventory[]): Draft {
  const free = cards.map((gpu) => {
    const total = gpu.memoryTotal ?? catalogGpu(gpu)?.memory ?? 0;
    return { ...gpu, memoryTotal: Math.max(MIB, total - (gpu.memoryUsed ?? 0)) };
  });
  const { cpu, memory, gpus } = metalOf({ ...machine, gpus: free });
  const withCards = Object.keys(gpus.value).length > 0;
  return {
    machine,
    metal: { cpu, memory: { ...memory, available: amount(machine.memory.available) }, gpus: gpus.value },
    engine: withCards ? ["llama.cpp", "embedded"] : ["embedded"],
    devices: withCards ? "auto" : "cpu",
    contexts: withCards ? CONTEXTS.cards : CONTEXTS.processor,
  };
}

interface Candidate {
  readonly name: string;
  readonly model: FoundModel;
  readonly shape: ModelShape;
}

/**
 * The service with the longest context that is planned beside the others, on cards alone if possible; or why not. The
 * shortest context is tried first: what does not fit with it needs no further questions.
 */
function place(candidate: Candidate, beside: readonly ChosenService[], draft: Draft): ChosenService | string {
  const trained =
    candidate.shape.trainedContext > 0 ? candidate.shape.trainedContext : Number.MAX_SAFE_INTEGER;
  const contexts = [...new Set(draft.contexts.map((tokens) => Math.min(tokens, trained)))];
  let mixed = placeWith(contexts.at(-1) ?? 0, candidate, beside, draft);
  if (typeof mixed === "string") return mixed;
  for (const contextTokens of contexts.slice(0, -1)) {
    const chosen = placeWith(contextTokens, candidate, beside, draft);
    if (typeof chosen === "string") continue;
    if (chosen.resident) return chosen;
    if (chosen.contextTokens > mixed.contextTokens && !mixed.resident) mixed = chosen;
  }
  return mixed;
}

function placeWith(
  contextTokens: number,
  candidate: Candidate,
  beside: readonly ChosenService[],
  draft: Draft,
): ChosenService | string {
  const { name, model, shape } = candidate;
  const plan = planDraft({ ...candidate, contextTokens }, beside, draft);
  const planned = plan.services.find((one) => one.name === name);
  const gone = beside.filter((other) => plan.services.every((one) => one.name !== other.name));
  if (planned === undefined || planned.band === "over" || gone.length > 0)
    return (
      plan.rejected.find((one) => one.service === name && one.alternative !== true)?.reason ??
      `it leaves no room for ${gone.map((other) => other.name).join(", ") || "itself"}`
    );
  const cards = planned.devices.filter((device) => device !== "cpu");
  return {
    name,
    model,
    engine: draft.engine,
    devices: draft.devices,
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

/**
 * Plans a service on the machine as it is now, beside others that stay where they are. Without turns: what takes turns
 * makes clients wait.
 */
function planDraft(
  candidate: Candidate & { readonly contextTokens: number },
  beside: readonly ChosenService[],
  { machine, metal, engine, devices }: Draft,
): Plan {
  const all = [
    ...beside.map((one) => ({ ...one, ...one.place, priority: 9 })),
    { ...candidate, engine, devices, priority: 0 },
  ];
  // JSON is YAML: any name and path survives the quoting.
  const text = JSON.stringify({
    omni: 1,
    metal,
    models: Object.fromEntries(all.map(({ model }) => [model.name, { source: { file: model.path } }])),
    services: Object.fromEntries(
      all.map(({ name, model, engine, devices, contextTokens, priority }) => [
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
    all.flatMap(({ model: { name, shape } }) => (shape === undefined ? [] : [[name, shape] as const])),
  );
  return planNode({ spec, shapes, observed: machine });
}
