import { formatBytes } from "../core/index.ts";
import { deviceMemory, memoryModelOf } from "../memory/index.ts";
import type {
  DeviceMemory,
  DeviceRoom,
  EngineSettings,
  Fit,
  HostRoom,
  MemoryPart,
  MemoryPrediction,
  Wishes,
} from "../memory/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { correctionOn } from "./learned.ts";
import type { Corrections } from "./learned.ts";

/** What is loaded beside a model. */
export interface Companions {
  /** The small model that proposes tokens (speculative decoding). */
  readonly draft?: ModelShape;
  /** LoRA adapters, bytes of their files. */
  readonly adapterBytes?: number;
  /** What earlier starts took beyond what was predicted. */
  readonly corrections?: Corrections;
}

/** An engine with a model, what is loaded beside it, and what is wished of them. */
export interface FitDemand {
  readonly kind: string;
  readonly shape: ModelShape | undefined;
  readonly wishes: Wishes;
  readonly companions?: Companions;
}

/** Least that is tried beside a draft model when nobody asks for a context, tokens. */
const LEAST_CONTEXT = 4096;
/** Times that the draft's cache and the model's context are brought into line. */
const ROUNDS = 3;

/**
 * The largest context and concurrency of a model together with its draft model and adapters. llama.cpp loads both beside
 * the model, the draft with the same context, slots and split (`common_base_params_to_speculative`); engines that reserve
 * a share of each card hold them within it, as further layers and tables of the model.
 */
export function fitBeside(demand: FitDemand, devices: readonly DeviceRoom[], host: HostRoom): Fit {
  const { kind, wishes, companions } = demand;
  const model = memoryModelOf(kind);
  const shape = withinShare(demand, devices.length);
  const alone = model.fit({ shape, wishes, devices, host });
  if (!alone.fits || companions === undefined || !isBeside(kind)) return alone;
  if (isNothing(companions, kind, devices.length)) return alone;
  const within = (settings: EngineSettings, wished: Wishes): Fit => {
    const held = besides(demand, settings, devices);
    return model.fit({
      shape,
      wishes: wished,
      devices: devices.map((card, index) => ({
        ...card,
        free: Math.max(0, card.free - (held.devices[index]?.total ?? 0)),
      })),
      host: { ...host, free: Math.max(0, host.free - held.host.total) },
    });
  };
  const together = (prediction: MemoryPrediction): MemoryPrediction | undefined => {
    const sum = joined(prediction, besides(demand, prediction.settings, devices));
    const fits = devices.every((card, index) => (sum.devices[index]?.total ?? 0) <= card.free);
    return fits && sum.host.total <= host.free ? sum : undefined;
  };
  let best: Extract<Fit, { fits: true }> | undefined;
  let settings = alone.prediction.settings;
  for (let round = 0; round < ROUNDS; round++) {
    const free = within(settings, wishes);
    const { contextTokens, parallel, kvUnified } = settings;
    // A longer context than the draft's cache was reserved for may not fit; the same does.
    const fit =
      free.fits && together(free.prediction) === undefined
        ? within(settings, { ...wishes, contextTokens, parallel, kvUnified })
        : free;
    const prediction = fit.fits ? together(fit.prediction) : undefined;
    if (!fit.fits || prediction === undefined) break;
    if (best === undefined || holds(prediction) > holds(best.prediction)) best = { ...fit, prediction };
    settings = prediction.settings;
  }
  if (best !== undefined) return best;
  const contextTokens = wishes.contextTokens ?? Math.min(LEAST_CONTEXT, settings.contextTokens);
  const least: Wishes = { ...wishes, contextTokens, parallel: wishes.parallel ?? 1 };
  const fit = within({ ...settings, contextTokens, parallel: least.parallel ?? 1 }, least);
  if (!fit.fits) return withBeside(fit, companions, besides(demand, { ...settings, contextTokens }, devices));
  const prediction = together(fit.prediction);
  if (prediction !== undefined) return { ...fit, prediction };
  const held = besides(demand, fit.prediction.settings, devices);
  return {
    fits: false,
    code: "does-not-fit",
    reason: `fits without ${besideName(companions)}: ${formatBytes(taken(held))} more`,
    hint: hintFor(companions),
  };
}

/** Bytes of a model with what is loaded beside it, for exactly these settings. */
export function predictBeside(
  demand: FitDemand,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
): MemoryPrediction {
  const prediction = memoryModelOf(demand.kind).predict(
    withinShare(demand, devices.length),
    settings,
    devices,
    demand.wishes,
  );
  return joined(prediction, besides(demand, settings, devices));
}

const isNothing = (
  { draft, adapterBytes = 0, corrections }: Companions,
  kind: string,
  cards: number,
): boolean =>
  draft === undefined &&
  adapterBytes === 0 &&
  correctionOn(corrections, kind, cards).every((bytes) => bytes === 0);

const holds = ({ settings }: MemoryPrediction): number => settings.contextTokens * settings.parallel;

const isBeside = (kind: string): boolean => kind === "llama.cpp" || kind === "embedded";

/** The model as an engine that reserves a share sees it: a draft's layers after its own, tables and adapters on every card. */
function withinShare({ kind, shape, companions }: FitDemand, cards: number): ModelShape | undefined {
  if (shape === undefined || companions === undefined || isBeside(kind)) return shape;
  const { draft, adapterBytes = 0, corrections } = companions;
  // An engine that holds equal shares is bound by the card that takes most.
  const beyond = Math.max(0, ...correctionOn(corrections, kind, cards));
  if (draft === undefined && adapterBytes === 0 && beyond === 0) return shape;
  const tables = draft === undefined ? 0 : draft.embeddingBytes + draft.outputBytes + draft.otherBytes;
  return {
    ...shape,
    layers: [...shape.layers, ...(draft?.layers ?? [])],
    otherBytes: shape.otherBytes + tables + adapterBytes + beyond,
    weightBytes: shape.weightBytes + (draft?.weightBytes ?? 0) + adapterBytes + beyond,
  };
}

interface Beside {
  readonly devices: readonly DeviceMemory[];
  readonly host: DeviceMemory;
}

/** What llama.cpp loads beside the model for these settings; the process and its CUDA context are there already. */
function besides(
  { kind, companions }: FitDemand,
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
): Beside {
  const nothing = { devices: devices.map(() => deviceMemory([])), host: deviceMemory([]) };
  if (companions === undefined || !isBeside(kind)) return nothing;
  const { draft, adapterBytes = 0, corrections } = companions;
  const learned = correctionOn(corrections, kind, devices.length);
  // The embedded engine proposes no tokens.
  const drafted =
    draft === undefined || kind !== "llama.cpp"
      ? nothing
      : memoryModelOf(kind).predict(
          draft,
          {
            ...settings,
            gpuLayers: devices.length === 0 ? 0 : draft.layers.length + 1,
            cpuExpertLayers: 0,
            kvKeyType: "f16",
            kvValueType: "f16",
          },
          devices,
        );
  const adapters: readonly MemoryPart[] = [{ term: "weights", name: "adapters", bytes: adapterBytes }];
  return {
    devices: drafted.devices.map((device, index) =>
      deviceMemory([
        ...ofDraft(device),
        ...(index === 0 ? adapters : []),
        ...(learned[index] === undefined || learned[index] === 0
          ? []
          : [{ term: "overhead" as const, name: "measured beyond the prediction", bytes: learned[index] }]),
      ]),
    ),
    host: deviceMemory([...ofDraft(drafted.host), ...(devices.length === 0 ? adapters : [])]),
  };
}

const ofDraft = ({ parts }: DeviceMemory): readonly MemoryPart[] =>
  parts
    .filter(({ term }) => term !== "overhead")
    .map((part) => ({ ...part, name: `draft model: ${part.name}` }));

const joined = (prediction: MemoryPrediction, { devices, host }: Beside): MemoryPrediction => ({
  ...prediction,
  devices: prediction.devices.map((device, index) =>
    deviceMemory([...device.parts, ...(devices[index]?.parts ?? [])]),
  ),
  host: deviceMemory([...prediction.host.parts, ...host.parts]),
});

/** A refusal that also tells what the draft model, adapters and corrections take. */
const withBeside = (refusal: Extract<Fit, { fits: false }>, companions: Companions, beside: Beside): Fit => ({
  ...refusal,
  reason: `${refusal.reason}, after ${formatBytes(taken(beside))} for ${besideName(companions)}`,
  hint: `${hintFor(companions)} ${refusal.hint}`.trim(),
});

const isLoadedBeside = ({ draft, adapterBytes = 0 }: Companions): boolean =>
  draft !== undefined || adapterBytes > 0;

const besideName = (companions: Companions): string =>
  isLoadedBeside(companions)
    ? "its draft model and adapters"
    : "what earlier starts took beyond the prediction";

const hintFor = (companions: Companions): string =>
  isLoadedBeside(companions)
    ? "Leave draft and adapters out, or take smaller ones."
    : "policies.learn: false plans without what was measured.";

const taken = ({ devices, host }: Beside): number =>
  [...devices, host].reduce((sum, device) => sum + device.total, 0);
