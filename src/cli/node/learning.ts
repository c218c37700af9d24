import { createHash } from "node:crypto";
import { present } from "../../core/index.ts";
import type { EngineTook } from "../../engines/engine.ts";
import type { PlannedService } from "../../plan/plan.ts";
import { simulatedKind } from "./learned.ts";
import type { Measurements, NewMeasurement } from "../../store/index.ts";
import type { SupervisorOptions } from "../../supervisor/index.ts";

type Learns = NonNullable<SupervisorOptions["measured"]>;
type NewRecord = Parameters<Learns["record"]>[0];

export interface LearningInput {
  readonly measurements: Measurements;
  /** Model of a card by the name of its device. */
  readonly cardModel: (device: string) => string | undefined;
  /** The service as it is planned now. */
  readonly planned: (service: string) => PlannedService | undefined;
  /** What simulated engines take says nothing about real ones, and is kept apart. */
  readonly simulated: boolean;
}

/** Keeps what engines took beside what was predicted, and tells how long loads took. */
export const createLearning = ({ measurements, cardModel, planned, simulated }: LearningInput): Learns => ({
  record: (measured) => {
    const record = recordOf(measured, cardModel);
    measurements.record(simulated ? { ...record, engine: simulatedKind(record.engine) } : record);
  },
  loadTime(name) {
    const service = planned(name);
    return service === undefined
      ? undefined
      : measurements.loadTimeOf({
          model: service.model.name,
          engine: simulated ? simulatedKind(kindOf(service)) : kindOf(service),
          settings: settingsDigest(service),
        });
  },
});

const kindOf = ({ engine }: PlannedService): string => engine.kind ?? engine.name;

/** Stands for all settings of a service that change what its engine takes. */
const settingsDigest = ({ settings, contextTokens, parallel }: PlannedService): string =>
  createHash("sha256")
    .update(JSON.stringify([settings ?? null, contextTokens, parallel]))
    .digest("hex")
    .slice(0, 16);

function recordOf(
  { service, kind, predicted, took, cards, loadTime }: NewRecord,
  cardModel: LearningInput["cardModel"],
): NewMeasurement {
  const onCards = service.devices.filter((device) => !isMemory(device));
  return {
    service: service.name,
    model: service.model.name,
    engine: kind,
    version: service.engine.version,
    cards: onCards.map((device) => cardModel(device) ?? device),
    settings: settingsDigest(service),
    devices: predicted.map(({ device, weights, kvCache, compute, total }) => ({
      device,
      predicted: { weights, kvCache, compute, total },
      took: {
        ...tookOn(device, onCards.indexOf(device), took),
        ...present({ total: cards.find((card) => card.device === device)?.bytes }),
      },
    })),
    ...present({
      predictedKvTokens: service.kvCache === undefined ? undefined : Math.round(service.kvCache.tokens),
      kvTokens: took.kvTokens,
    }),
    loadTime: Math.round(loadTime),
  };
}

/** What an engine's log says of a device: engines count the cards that they are given, llama.cpp by name. */
function tookOn(
  device: string,
  position: number,
  took: EngineTook,
): { readonly weights?: number; readonly kvCache?: number; readonly compute?: number } {
  const named = took.devices.find(({ device: name }) =>
    position < 0
      ? /^CPU|host/i.test(name)
      : new RegExp(`^(?:CUDA|cuda:|GPU|ROCm|Vulkan)?${position}$`).test(name),
  );
  if (named === undefined || (position < 0 && !isMemory(device))) return {};
  const { device: _, ...terms } = named;
  return terms;
}

const isMemory = (device: string): boolean => /(?:^|\/)cpu$/.test(device);
