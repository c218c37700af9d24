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
 * Models for chat come before embedders; on a processor, those that answer quickly before the others.
 */
export function chooseServices({ machine, models, llamaServer }: ServiceChoosing): Choice {
  const cards = llamaServer ? machine.gpus.filter(isUsable) : [];
  const draft = draftOf(machine, cards);
  const services: ChosenService[] = [];
  const leftOut: LeftOut[] = [];
  const names = new Set<string>(["auto", "cpu"]);
  for (const model of inOrder(models, cards.length > 0 ? Number.POSITIVE_INFINITY : quickBytes(machine))) {
    const { shape } = model;
    if (shape === undefined || !isTypeable(model.path)) {
      const why = model.fault ?? "its path is too long for a spec, or has characters that a spec cannot hold";
      leftOut.push({ model, why });
      continue;
    }
    const candidate = { name: uniqueName(serviceName(model.name) || "model", names, 63), model, shape };
    const full = services.length >= MOST_SERVICES;
    const chosen = place(candidate, full ? [] : services, draft);
    if (typeof chosen === "string") leftOut.push({ model, why: chosen });
    else if (full)
      leftOut.push({ model, why: `it fits, but ${MOST_SERVICES} services are enough to begin with` });
    else services.push(chosen);
  }
  return { services, leftOut };
}

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

/** The service with the longest context that is planned beside the others, on cards alone if possible; or why not. */
function place(candidate: Candidate, beside: readonly ChosenService[], draft: Draft): ChosenService | string {
  const { name, model, shape } = candidate;
  const trained = shape.trainedContext > 0 ? shape.trainedContext : Number.MAX_SAFE_INTEGER;
  const contexts = [...new Set(draft.contexts.map((tokens) => Math.min(tokens, trained)))];
  let mixed: ChosenService | undefined;
  let refusal = "it does not fit";
  for (const contextTokens of contexts) {
    const service = {
      name,
      model,
      engine: draft.engine,
      devices: draft.devices,
      contextTokens,
      embeddings: isEmbedder(shape),
      why: "",
    };
    const plan = planDraft([...beside, service], draft);
    const planned = plan.services.find((one) => one.name === name);
    const all = plan.services.length === beside.length + 1;
    if (planned === undefined || !all || planned.band === "over") {
      const gone = beside.filter((other) => plan.services.every((one) => one.name !== other.name));
      refusal =
        plan.rejected.find((one) => one.service === name && one.alternative !== true)?.reason ??
        `it leaves no room for ${gone.map((other) => other.name).join(", ") || "itself"}`;
      continue;
    }
    const chosen = { ...service, why: whyOf(planned) };
    if (planned.resident !== false) return chosen;
    mixed ??= chosen;
  }
  return mixed ?? refusal;
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

/** Plans services on the machine as it is now. Without turns: what takes turns makes clients wait. */
function planDraft(services: readonly ChosenService[], { machine, metal }: Draft): Plan {
  // JSON is YAML: any name and path survives the quoting.
  const text = JSON.stringify({
    omni: 1,
    metal,
    models: Object.fromEntries(services.map(({ model }) => [model.name, { source: { file: model.path } }])),
    services: Object.fromEntries(
      services.map(({ name, model, engine, devices, contextTokens }) => [
        name,
        { model: model.name, engine, devices, context: contextTokens },
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
