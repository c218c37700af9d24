import { kvElementBytes } from "../memory/index.ts";
import type { EngineSettings, KvType, MemoryPrediction } from "../memory/index.ts";
import type { Engine, LadderStep } from "../spec/spec.ts";
import { cardRefusals } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import type { Wanted } from "./fleet.ts";
import { knownShape } from "./known-shape.ts";
import type { PlanMachine } from "./machines.ts";
import type { LadderRung } from "./plan.ts";
import type { Task } from "./task.ts";
import { kvType } from "./wishes.ts";

/** What the ladder of a service may count on besides the service itself. */
export interface Neighbourhood {
  /** Other services that were placed, with the context they offer and what they hold of each device. */
  readonly others: readonly {
    readonly name: string;
    readonly contextTokens: number;
    readonly priority: number;
    /** It is never unloaded for another. */
    readonly pinned: boolean;
    readonly onProcessor: boolean;
    readonly remote: boolean;
    readonly model: string;
    /** It is unloaded while this one is loaded. */
    readonly byTurns: boolean;
    /** What it answers: text, vectors of texts, or neither. */
    readonly task: Task;
    readonly holds: readonly { readonly device: string; readonly bytes: number }[];
  }[];
  /** Engines of the chain after the one that was chosen which would fit too. */
  readonly fallbacks: readonly string[];
}

/** Least context that halving leaves when the owner names no floor, tokens. */
const CONTEXT_FLOOR = 2048;

/** Where the ladder has come to: settings and the memory that they take. */
export interface State {
  readonly settings: EngineSettings;
  readonly prediction: MemoryPrediction;
}

/** What one step changes: settings, or what the service is asked for. */
export interface Step {
  readonly change: string;
  readonly settings?: EngineSettings;
  readonly rest?: Partial<LadderRung>;
  readonly noEffect?: string;
}

/** All that a step may look at. */
export interface Surroundings {
  readonly machine: PlanMachine;
  readonly engines: Readonly<Record<string, Engine>>;
  readonly wanted: Wanted;
  readonly candidate: Candidate;
  readonly neighbourhood: Neighbourhood;
  /** Its cards by their names; main memory for what is on none. */
  readonly devices: readonly string[];
  readonly task: Task;
  /** Name of main memory in the plan. */
  readonly memory: string;
}

const ABOUT_CONTEXT = new Set([
  "quantize-kv-cache",
  "halve-context",
  "reduce-parallel",
  "offload-kv-cache",
  "route-long-prompts",
]);

/** What a step of the owner's ladder does to a service in this state. Pure. */
export function takeStep(step: LadderStep, state: State, around: Surroundings): Step {
  const { kind } = around.candidate;
  if (kind.formats.length === 0 && ABOUT_CONTEXT.has(step.step))
    return { change: step.step.replaceAll("-", " "), noEffect: `${kind.title} has no context` };
  switch (step.step) {
    case "quantize-kv-cache":
      return quantizeCache(step, state, around);
    case "halve-context":
      return halveContext(step, state, around.candidate);
    case "reduce-parallel":
      return reduceParallel(state, around.candidate);
    case "offload-kv-cache":
      return offloadCache(state, around.candidate);
    case "offload-experts":
      return offloadExperts(state, around);
    case "evict-others":
      return evictOthers(around);
    case "next-engine":
      return nextEngine(around);
    case "route-long-prompts":
    case "cpu-executor":
    case "remote-fallback":
      return routeAway(step, state, around);
  }
}

/** Engines that reserve their share at start give memory back only when the cache itself is made smaller. */
const withCache = (
  state: State,
  candidate: Candidate,
  settings: EngineSettings,
  share: number,
): EngineSettings => {
  const perCard = Math.max(0, ...state.prediction.devices.map((device) => device.kvCache));
  return candidate.kind.formats.includes("safetensors") && perCard > 0
    ? { ...settings, kvBytes: Math.floor(perCard * share) }
    : settings;
};

function quantizeCache(step: LadderStep, state: State, around: Surroundings): Step {
  const { candidate } = around;
  const gguf = candidate.kind.formats.includes("gguf") && candidate.kind.name !== "ktransformers";
  const to = kvType(step.cacheType ?? (gguf ? "q8_0" : "fp8")) ?? "q8_0";
  const from = state.settings.kvKeyType;
  const change = `KV cache ${from} → ${to}`;
  if (candidate.kind.name === "embedded")
    return { change, noEffect: "the embedded engine keeps its cache in f16" };
  const share = kvElementBytes(to) / kvElementBytes(from);
  if (share >= 1) return { change, noEffect: `the cache is ${from} already` };
  if (state.prediction.kv.bytes === 0) return { change, noEffect: "it holds no KV cache" };
  const refusal = around.candidate.cards.flatMap((index) => kvRefusal(around, index, to))[0];
  if (refusal !== undefined) return { change, noEffect: refusal };
  const settings = {
    ...state.settings,
    kvKeyType: to,
    kvValueType: to,
    ...(gguf ? { flashAttention: true } : {}),
  };
  return { change, settings: withCache(state, candidate, settings, share) };
}

/** Why a card has no kernels for a cache of this type, if so. */
function kvRefusal(
  { candidate, machine, engines, wanted }: Surroundings,
  index: number,
  kvType: KvType,
): readonly string[] {
  const card = machine.cards[index];
  if (card === undefined) return [];
  const engine = engines[candidate.engine] ?? { kind: candidate.kind.name };
  const refusals = cardRefusals(
    card,
    { engine, kvType, shape: knownShape(wanted.demand.shape) },
    machine.driver,
  );
  return refusals.map((refusal) => refusal.reason);
}

function halveContext(step: LadderStep, state: State, candidate: Candidate): Step {
  const floor = step.floor ?? CONTEXT_FLOOR;
  const from = state.settings.contextTokens;
  const to = Math.max(floor, Math.floor(from / 2));
  const change = `context ${from} → ${to}`;
  if (to >= from)
    return { change: `context ${from}`, noEffect: `it is at its floor of ${floor} tokens already` };
  return {
    change,
    settings: withCache(state, candidate, { ...state.settings, contextTokens: to }, to / from),
    rest: { contextTokens: to },
  };
}

function reduceParallel(state: State, candidate: Candidate): Step {
  const from = state.settings.parallel;
  const to = Math.floor(from / 2);
  if (to < 1) return { change: `parallel ${from}`, noEffect: "it answers one request at a time already" };
  return {
    change: `parallel ${from} → ${to}`,
    settings: withCache(state, candidate, { ...state.settings, parallel: to }, to / from),
    rest: { parallel: to },
  };
}

function offloadCache(state: State, candidate: Candidate): Step {
  const change = "KV cache to main memory";
  if (candidate.kind.name !== "llama.cpp")
    return { change, noEffect: `${candidate.kind.title} keeps the cache of running requests on the card` };
  if (state.settings.kvOnHost || candidate.cards.length === 0)
    return { change, noEffect: "it is in main memory already" };
  return { change, settings: { ...state.settings, kvOnHost: true } };
}

function offloadExperts(state: State, { candidate, wanted }: Surroundings): Step {
  const layers = knownShape(wanted.demand.shape)?.layers ?? [];
  const withExperts = layers.flatMap((layer, index) => (layer.weights.experts > 0 ? [index] : []));
  const last = withExperts.at(-1);
  const from = state.settings.cpuExpertLayers;
  if (last === undefined) return { change: "experts to main memory", noEffect: "the model has no experts" };
  if (candidate.kind.name !== "llama.cpp")
    return {
      change: "experts to main memory",
      noEffect: `${candidate.kind.title} cannot move them by layers`,
    };
  const to = Math.min(last + 1, Math.max(from, withExperts[0] ?? 0) + Math.ceil(withExperts.length / 4));
  if (to <= from)
    return { change: `experts of ${from} layers in main memory`, noEffect: "all are there already" };
  return {
    change: `experts of ${to} layers in main memory, ${from} before`,
    settings: { ...state.settings, cpuExpertLayers: to },
  };
}

function evictOthers({ wanted, neighbourhood, devices }: Surroundings): Step {
  const { priority } = wanted.settings;
  const lesser = neighbourhood.others.filter(
    (other) =>
      !other.byTurns &&
      !other.pinned &&
      other.priority < priority &&
      other.holds.some((held) => devices.includes(held.device)),
  );
  const change = "unload services of lower priority beside it";
  if (lesser.length === 0)
    return { change, noEffect: `none of lower priority is on ${devices.join(" or ")}` };
  const frees = devices.map((device) => ({
    device,
    bytes: lesser
      .flatMap((other) => other.holds)
      .filter((held) => held.device === device)
      .reduce((sum, held) => sum + held.bytes, 0),
  }));
  return {
    change: `unload ${lesser.map((other) => other.name).join(", ")}`,
    rest: {
      frees: frees.filter((freed) => freed.bytes > 0),
      unloads: lesser.map((other) => other.name),
    },
  };
}

function nextEngine({ neighbourhood }: Surroundings): Step {
  const [next] = neighbourhood.fallbacks;
  return next === undefined
    ? { change: "next engine", noEffect: "no later engine of its chain fits" }
    : { change: `run on ${next}`, rest: { to: next } };
}

const WHO: Readonly<Partial<Record<LadderStep["step"], string>>> = {
  "remote-fallback": "is remote and answers the same",
  "cpu-executor": "is on the processor and answers the same",
  "route-long-prompts": "answers the same with at least its context",
};

function routeAway(step: LadderStep, state: State, around: Surroundings): Step {
  const { neighbourhood, wanted, task } = around;
  const fits = (other: Neighbourhood["others"][number]): boolean =>
    !other.byTurns &&
    // Vectors of different models have nothing to do with each other.
    (task === "vectors" ? other.model === wanted.demand.model : other.task === task) &&
    (step.step === "remote-fallback"
      ? other.remote
      : step.step === "cpu-executor"
        ? other.onProcessor
        : other.contextTokens >= state.settings.contextTokens);
  const target = step.to ?? neighbourhood.others.find(fits)?.name;
  const what = step.step === "route-long-prompts" ? "long prompts" : "requests";
  if (target === undefined)
    return {
      change: `route ${what} away`,
      noEffect: `no other service ${WHO[step.step] ?? "could take them"}`,
    };
  const above = step.above ?? Math.floor(state.settings.contextTokens / 2);
  const change =
    step.step === "route-long-prompts"
      ? `prompts above ${above} tokens go to ${target}`
      : `requests go to ${target} and ${wanted.name} is unloaded`;
  const { devices, host } = state.prediction;
  const unloaded = [
    ...devices.map((device, index) => ({ device: around.devices[index] ?? "", bytes: device.total })),
    { device: around.memory, bytes: host.total },
  ].filter(({ bytes }) => bytes > 0);
  const long = step.step === "route-long-prompts";
  return { change, rest: { to: target, ...(long ? { above } : { frees: unloaded }) } };
}
