import type { GpuInventory, MachineInventory } from "../inventory/index.ts";
import { catalogGpu } from "../inventory/index.ts";
import { activeBytes, quickBytes } from "../memory/index.ts";
import { serviceName } from "../spec/index.ts";
import { isTypeable } from "./init-typed.ts";
import { uniqueName } from "./init-models.ts";
import type { FoundModel } from "./init-models.ts";
import { draftOf, isEmbedder, place } from "./init-place.ts";
import type { ChosenService } from "./init-place.ts";

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
  const quick = quickBytes(machine.cpu.cores, machine.cpu.sockets);
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
    const active = activeBytes(model.shape);
    const candidate = { name, model, shape: model.shape, quick: active <= quick };
    const chosen = place(candidate, full ? [] : services, draft);
    if (typeof chosen === "string") leftOut.push({ model, why: chosen });
    else if (full)
      leftOut.push({ model, why: `it fits, but ${MOST_SERVICES} services are enough to begin with` });
    else if (cards.length > 0 && isSlow(chosen, active <= quick)) slow.push(chosen);
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

const isSlow = ({ resident, devices }: ChosenService, quick: boolean): boolean =>
  !resident || (devices === "cpu" && !quick);

/** A card that engines of this host can use: one that the driver knows. */
const isUsable = (gpu: GpuInventory): boolean =>
  gpu.vendor === "nvidia" &&
  gpu.uuid !== undefined &&
  (gpu.memoryTotal ?? catalogGpu(gpu)?.memory) !== undefined;

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
