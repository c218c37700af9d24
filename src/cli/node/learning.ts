import { createHash } from "node:crypto";
import { present } from "../../core/index.ts";
import type { EngineTook } from "../../engines/engine.ts";
import { isMainMemory } from "../../plan/memory-device.ts";
import { correctionOn, correctionsFor, fillsShare } from "../../plan/index.ts";
import type { Learned } from "../../plan/index.ts";
import type { MemoryTerms, PlannedService } from "../../plan/plan.ts";
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
  /** What the plan that runs has added to the predictions. */
  readonly learned: readonly Learned[];
}

/** Keeps what engines took beside what was predicted, and tells how long loads took. */
export const createLearning = ({
  measurements,
  cardModel,
  planned,
  simulated,
  learned,
}: LearningInput): Learns => ({
  record: (measured) => {
    const record = recordOf(measured, cardModel, learned);
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

/**
 * What is remembered of a start. The prediction is kept as it is without what earlier starts have taught: a correction is
 * measured from there, and not from itself.
 */
function recordOf(
  { service, kind, predicted, took, cards, loadTime }: NewRecord,
  cardModel: LearningInput["cardModel"],
  learned: readonly Learned[],
): NewMeasurement {
  const onCards = service.devices.filter((device) => !isMainMemory(device));
  const added = correctionOn(correctionsFor(service.model.name, learned), kind, onCards.length);
  const bare = predicted.map((terms) => withoutCorrection(terms, kind, added, onCards.indexOf(terms.device)));
  const tokens = service.kvCache?.tokens;
  const [corrected, plain] = [predicted[0]?.kvCache ?? 0, bare[0]?.kvCache ?? 0];
  return {
    service: service.name,
    model: service.model.name,
    engine: kind,
    version: service.engine.version,
    cards: onCards.map((device) => cardModel(device) ?? device),
    settings: settingsDigest(service),
    devices: bare.map(({ device, weights, kvCache, compute, total }) => ({
      device,
      predicted: { weights, kvCache, compute, total },
      took: {
        ...tookOn(device, onCards.indexOf(device), took),
        ...present({ total: cards.find((card) => card.device === device)?.bytes }),
      },
    })),
    ...present({
      predictedKvTokens:
        tokens === undefined ? undefined : Math.round(corrected > 0 ? (tokens * plain) / corrected : tokens),
      kvTokens: took.kvTokens,
    }),
    loadTime: Math.round(loadTime),
  };
}

/** The terms of a card without what was added to them; an engine that fills its share has cache in the place of that. */
function withoutCorrection(
  terms: MemoryTerms,
  kind: string,
  added: readonly number[],
  position: number,
): Pick<MemoryTerms, "device" | "weights" | "kvCache" | "compute" | "total"> {
  if (!fillsShare(kind)) return { ...terms, total: terms.total - (added[position] ?? 0) };
  const extra = position < 0 ? 0 : Math.max(0, ...added);
  return { ...terms, weights: terms.weights - extra, kvCache: terms.kvCache + extra };
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
  if (named === undefined || (position < 0 && !isMainMemory(device))) return {};
  const { device: _, ...terms } = named;
  return terms;
}
