import { formatBytes, GIB, MIB } from "../core/index.ts";
import { catalogGpu } from "../inventory/index.ts";
import type { GpuInventory, MachineInventory } from "../inventory/index.ts";
import type { ModelOutline } from "../models/index.ts";
import { placeEmbedded } from "../plan/place-embedded.ts";
import { isTypeable } from "./init-metal.ts";
import type { FoundModel } from "./init-models.ts";

/** A service that the spec should have. */
export interface ChosenService {
  readonly model: FoundModel;
  /** Engines in order; the first that a version can start serves. */
  readonly engine: readonly string[];
  readonly devices: "auto" | "cpu";
  readonly contextTokens: number;
  readonly parallel?: number;
  readonly embeddings: boolean;
  /** The decision with its numbers, for a person. */
  readonly why: string;
}

export interface LeftOut {
  readonly model: FoundModel;
  readonly why: string;
  /** It would fit by itself: taking a served model out makes room for it. */
  readonly fitsAlone: boolean;
}

export interface Choice {
  readonly services: readonly ChosenService[];
  readonly leftOut: readonly LeftOut[];
}

export interface ServiceChoosing {
  readonly machine: MachineInventory;
  readonly models: readonly FoundModel[];
  /** A llama-server was found, which computes on cards where the embedded engine uses the processor alone. */
  readonly llamaServer: boolean;
}

/** More than these at once is a zoo, not a node; the rest is a comment away. */
const MOST_SERVICES = 4;
/** A processor reads all weights of a dense model for each token: beyond this, tens of seconds a sentence. */
const SLOW_ON_CPU = 16 * GIB;
/** Same as the default of `policies.headroom`. */
const HEADROOM = { memory: 512 * MIB, vram: GIB } as const;
/** CUDA context and workspace of one engine on a card: 0.45 to 0.6 GiB in the field. */
const CUDA_CONTEXT = 600 * MIB;
const CONTEXTS = [32_768, 16_384, 8192, 4096, 2048];

/**
 * The services for the models found on a machine, best first, and for each model that is left out the reason with its
 * numbers. Models for chat come before embedders; on a processor, large ones after those that answer at reading speed.
 */
export function chooseServices({ machine, models, llamaServer }: ServiceChoosing): Choice {
  const rooms = roomsOf(machine, llamaServer);
  const services: ChosenService[] = [];
  const leftOut: LeftOut[] = [];
  for (const model of inOrder(models, rooms.cards.length > 0)) {
    const { outline } = model;
    if (outline === undefined || !isTypeable(model.path)) {
      const why = model.fault ?? "its path is too long for a spec, or has characters that a spec cannot hold";
      leftOut.push({ model, why, fitsAlone: false });
      continue;
    }
    const fresh = place(outline, roomsOf(machine, llamaServer));
    if (services.length >= MOST_SERVICES && fresh.service !== undefined) {
      leftOut.push({ model, why: `${MOST_SERVICES} services are enough to begin with`, fitsAlone: true });
      continue;
    }
    const placed = place(outline, rooms);
    if (placed.service === undefined)
      leftOut.push({ model, why: placed.why, fitsAlone: fresh.service !== undefined });
    else services.push({ ...placed.service, model, embeddings: isEmbedder(outline), why: placed.why });
  }
  return { services, leftOut };
}

function inOrder(models: readonly FoundModel[], cards: boolean): FoundModel[] {
  const rank = ({ outline }: FoundModel): number => {
    if (outline === undefined) return 3;
    if (isEmbedder(outline)) return 1;
    return !cards && outline.weightBytes > SLOW_ON_CPU ? 2 : 0;
  };
  return models.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (rank(a) === 2 ? bytes(a) - bytes(b) : bytes(b) - bytes(a)) ||
      a.name.localeCompare(b.name, "en"),
  );
}

const bytes = ({ outline }: FoundModel): number => outline?.weightBytes ?? 0;

/** Architectures that make vectors of texts and write nothing. */
const isEmbedder = (outline: ModelOutline): boolean => /bert|embed|t5encoder/.test(outline.architecture);

/** What is left for services, counted down as they are placed. Bytes. */
interface Rooms {
  memory: number;
  readonly cards: { readonly name: string; left: number }[];
}

function roomsOf(machine: MachineInventory, llamaServer: boolean): Rooms {
  const cards = llamaServer ? machine.gpus.flatMap((gpu) => roomOf(gpu) ?? []) : [];
  return { memory: machine.memory.available, cards: cards.toSorted((a, b) => a.left - b.left) };
}

/** A card that engines of this host can use, with what is free on it. */
function roomOf(gpu: GpuInventory): { name: string; left: number } | undefined {
  const total = gpu.memoryTotal ?? catalogGpu(gpu)?.memory;
  if (gpu.vendor !== "nvidia" || gpu.uuid === undefined || total === undefined) return undefined;
  return { name: gpu.name, left: total - (gpu.memoryUsed ?? 0) - (gpu.memoryReserved ?? 0) - HEADROOM.vram };
}

interface Placed {
  readonly service?: Omit<ChosenService, "model" | "embeddings" | "why">;
  readonly why: string;
}

/** On the smallest card that holds the model, else in main memory; takes what it needs from the rooms. */
function place(outline: ModelOutline, rooms: Rooms): Placed {
  for (const contextTokens of CONTEXTS.filter((tokens) => tokens <= Math.max(outline.trainedContext, 2048))) {
    const bytes = outline.weightBytes + outline.kvBytesPerToken * contextTokens + CUDA_CONTEXT;
    const card = rooms.cards.find((room) => room.left >= bytes);
    if (card === undefined) continue;
    const why = `${formatBytes(bytes)} on ${card.name}, where ${formatBytes(card.left)} are free`;
    card.left -= bytes;
    const inMemory = placeEmbedded({ outline, contextTokens, parallel: 1 }, rooms.memory, HEADROOM.memory);
    // Main memory is a place to fall back to, not one that is taken.
    return {
      service: {
        engine: inMemory.fits ? ["llama.cpp", "embedded"] : ["llama.cpp"],
        devices: "auto",
        contextTokens,
      },
      why,
    };
  }
  const placement = placeEmbedded(
    { outline, contextTokens: undefined, parallel: undefined },
    rooms.memory,
    HEADROOM.memory,
  );
  if (!placement.fits) return { why: placement.reason };
  const { contextTokens, parallel, memory } = placement.fit;
  const why =
    `${formatBytes(memory.total)} of main memory (weights ${formatBytes(memory.weights)}, KV cache ` +
    `${formatBytes(memory.kvCache)}), of which ${formatBytes(rooms.memory)} are free`;
  rooms.memory -= memory.total;
  return { service: { engine: ["embedded"], devices: "cpu", contextTokens, parallel }, why };
}
