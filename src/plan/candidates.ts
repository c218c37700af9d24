import { engineKindOf } from "../catalog/index.ts";
import type { EngineKind } from "../catalog/index.ts";
import type { Code, OmniError } from "../core/index.ts";
import type { Fit, MemoryPrediction, Wishes } from "../memory/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import type { Engine, Service } from "../spec/spec.ts";
import type { Companions, FitDemand } from "./companions.ts";
import { cardKind, cardSets } from "./card-sets.ts";
import { contains, isEnough, worthTrying } from "./enough-cards.ts";
import type { Depth } from "./card-sets.ts";
import type { Fitter } from "./fitter.ts";
import { checkGates } from "./gates/check-gates.ts";
import type { GateInput, GateRefusal } from "./gates/gate.ts";
import { knownShape } from "./known-shape.ts";
import { refuseByFormat } from "./gates/weight-format.ts";
import { fillsShare } from "./learned.ts";
import type { PlanCard, PlanMachine } from "./machines.ts";
import { beyondTraining, missingShape, noDevice } from "./refusals.ts";
import { kvType, wishesOf } from "./wishes.ts";

/** One way to run a service on one kind of machine. */
export interface Candidate {
  /** Name of the engine in the spec. */
  readonly engine: string;
  readonly kind: EngineKind;
  /** Position of the engine in the service's chain. */
  readonly rank: number;
  /** Indices into the machine's cards, in the order given to the engine. */
  readonly cards: readonly number[];
  readonly prediction: MemoryPrediction;
  readonly resident: boolean;
  /** What the fit may change when it is repeated with more or less room. */
  readonly wishes: Wishes;
}

/** Why one engine of a service cannot run on one set of cards. */
export interface Refusal {
  readonly engine: string;
  readonly rank: number;
  readonly cards: readonly number[];
  readonly code: Code;
  readonly reason: string;
  readonly hint: string;
  readonly source?: string;
}

/** A service with all that its placement depends on. */
export interface Demand {
  readonly name: string;
  readonly model: string;
  readonly settings: Service;
  readonly shape: ModelShape | OmniError | undefined;
  /** What is loaded beside its model. */
  readonly companions?: Companions;
  /** It may be unloaded for another service, so that it need not be squeezed in beside it. */
  readonly takesTurns: boolean;
  /** A reason why an engine must not be considered, or `undefined`. */
  readonly forbid: (
    engine: Engine,
    service: Service,
    /** What both are called in the spec. */
    names: { readonly service: string; readonly engine: string },
  ) => Omit<Refusal, "engine" | "rank" | "cards"> | undefined;
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly refusals: readonly Refusal[];
}

/** Context lengths that a service without one of its own settles for, when the full one leaves no room for others. */
const CONTEXT_STEPS = [32_768, 8192, 4096];
/** Shares of a card that engines which reserve a fraction of it try. */
const SHARES = [0.6, 0.35, 0.2];

/** What looking for candidates needs besides the service and the machine. */
export interface Search {
  readonly engines: Readonly<Record<string, Engine>>;
  readonly fitter: Fitter;
  readonly depth: Depth;
}

/**
 * The ways to run a service on an empty machine of this kind, and every refusal with its arithmetic: all of them, or, for
 * large fleets, those of the first engine of its chain that has any.
 */
export function candidatesOn(demand: Demand, machine: PlanMachine, search: Search): Candidates {
  const { engines, depth } = search;
  const candidates: Candidate[] = [];
  const refusals: Refusal[] = [];
  for (const [rank, name] of demand.settings.engine.entries()) {
    if (depth === "quick" && candidates.length > 0) break;
    const engine = engines[name] ?? { kind: name };
    const kind = engineKindOf(engine);
    if (kind === undefined) continue;
    const refuse = (cards: readonly number[], refusal: Omit<Refusal, "engine" | "rank" | "cards">): void => {
      refusals.push({ engine: name, rank, cards, ...refusal });
    };
    const forbidden =
      demand.forbid(engine, demand.settings, { service: demand.name, engine: name }) ??
      missingShape(demand, kind) ??
      beyondTraining(demand, engine, kind);
    if (forbidden !== undefined) {
      refuse([], forbidden);
      continue;
    }
    const all = cardSets(demand.settings, machine, usable(kind), depth);
    // ComfyUI computes on one card, whatever it is given.
    const possible =
      kind.name === "comfyui" ? all?.filter(({ length }, index) => length < 2 || index === 0) : all;
    // Where experts are meant to be in main memory, the weights say little about the cards.
    const onCards = kind.name !== "ktransformers" && (demand.settings.cpuMoe ?? false) === false;
    const sets = depth === "quick" && onCards ? worthTrying(possible, demand, machine) : possible;
    const enough: string[][] = [];
    for (const cards of sets ?? []) {
      const kinds = cards.flatMap((index) => machine.cards[index] ?? []).map(cardKind);
      if (depth === "quick" && enough.some((fewer) => contains(kinds, fewer))) continue;
      const found = tryCards({ demand, machine, engine, kind, name, rank, cards, search });
      candidates.push(...found.candidates);
      if (cards.length > 0 && found.candidates.some((candidate) => isEnough(candidate, demand)))
        enough.push(kinds);
      for (const refusal of found.refusals) refuse(cards, refusal);
    }
    if ((sets ?? []).length === 0) refuse([], noDevice(demand, machine, kind));
  }
  return { candidates, refusals };
}

interface Attempt {
  readonly demand: Demand;
  readonly machine: PlanMachine;
  readonly engine: Engine;
  readonly kind: EngineKind;
  readonly name: string;
  readonly rank: number;
  readonly cards: readonly number[];
  readonly search: Search;
}

/** What runs elsewhere takes nothing here, of whatever kind it is. */
const memoryKind = (kind: EngineKind): string => (kind.remote ? "openai" : kind.name);

const usable = (kind: EngineKind): { cpu: boolean; cards: boolean } => ({
  cpu: kind.cpu || kind.remote,
  cards: !kind.remote && kind.name !== "embedded",
});

type Tried = {
  readonly candidates: readonly Candidate[];
  readonly refusals: readonly Omit<Refusal, "engine" | "rank" | "cards">[];
};

function tryCards(attempt: Attempt): Tried {
  const { demand, machine, engine, kind, cards } = attempt;
  const shape = knownShape(demand.shape);
  const devices = cards.flatMap((index) => machine.cards[index] ?? []);
  const gates = kind.remote ? [] : gateRefusals(devices, engine, demand, machine.driver, shape);
  if (gates.length > 0) return { candidates: [], refusals: gates.slice(0, 1) };
  const wishes = wishesOf(demand.settings, shape);
  const { fitter } = attempt.search;
  const full = fitter.onShare(fitDemandOf(demand, memoryKind(kind), wishes), machine, devices, 1);
  if (!full.fits)
    return { candidates: [], refusals: [{ code: full.code, reason: full.reason, hint: full.hint }] };
  const tries = kind.remote ? [] : smaller(attempt, devices, shape, wishes);
  const seen = new Set<string>();
  const candidates = [{ fit: full, wishes }, ...tries].flatMap(({ fit, wishes: wished }) => {
    const key = demandKey(fit.prediction);
    if (seen.has(key)) return [];
    seen.add(key);
    return [
      {
        engine: attempt.name,
        kind,
        rank: attempt.rank,
        cards,
        prediction: fit.prediction,
        resident: fit.resident,
        wishes: wished,
      },
    ];
  });
  return { candidates, refusals: [] };
}

const demandKey = (prediction: MemoryPrediction): string =>
  [...prediction.devices.map((device) => device.total), prediction.host.total].join(" ");

type Fitted = { readonly fit: Extract<Fit, { fits: true }>; readonly wishes: Wishes };

/** The same with less: shorter contexts where none was asked for, and smaller shares for engines that take a share. */
function smaller(
  { machine, demand, kind, search }: Attempt,
  devices: readonly PlanCard[],
  shape: ModelShape | undefined,
  wishes: Wishes,
): readonly Fitted[] {
  const found: Fitted[] = [];
  const add = (wished: Wishes, share: number): void => {
    const fit = search.fitter.onShare(fitDemandOf(demand, memoryKind(kind), wished), machine, devices, share);
    if (fit.fits) found.push({ fit, wishes: wished });
  };
  const trained = shape?.trainedContext ?? 0;
  // A large fleet has room elsewhere: there, the least is enough beside the most.
  const thorough = search.depth === "thorough";
  if (demand.settings.context === "auto")
    for (const contextTokens of thorough ? CONTEXT_STEPS : CONTEXT_STEPS.slice(1, 2))
      if (contextTokens <= trained)
        add({ ...wishes, contextTokens, ...(wishes.parallel === undefined ? { parallel: 1 } : {}) }, 1);
  if (demand.settings.parallel === "auto" && demand.settings.context !== "auto")
    add({ ...wishes, parallel: 1 }, 1);
  if (devices.length === 0) return found;
  // What never gives way to another is rather squeezed in beside it: layers that a smaller share does not hold stay in
  // main memory.
  const squeezed = kind.name === "llama.cpp" && thorough && !demand.takesTurns;
  if ((takesShare(kind) && wishes.memoryFraction === undefined) || squeezed)
    for (const share of thorough ? SHARES : SHARES.slice(1, 2)) add(wishes, share);
  return found;
}

/** An engine with the model of a demand and what is loaded beside it. */
export const fitDemandOf = (
  { shape, companions }: Pick<Demand, "shape" | "companions">,
  kind: string,
  wishes: Wishes,
): FitDemand => ({
  kind,
  shape: knownShape(shape),
  wishes,
  ...(companions === undefined ? {} : { companions }),
});

/** Whether it is an engine that reserves a share of the card and fills it. */
export const takesShare = (kind: EngineKind): boolean => fillsShare(kind.name);

/** Whether an engine would fit on given cards of an empty machine, gates included. */
export function wouldFit(
  demand: Demand,
  machine: PlanMachine,
  cards: readonly number[],
  name: string,
  search: Search,
): boolean {
  const engine = search.engines[name] ?? { kind: name };
  const kind = engineKindOf(engine);
  const forbidden = demand.forbid(engine, demand.settings, { service: demand.name, engine: name });
  if (kind === undefined || forbidden !== undefined) return false;
  if (kind.remote) return true;
  if ((missingShape(demand, kind) ?? beyondTraining(demand, engine, kind)) !== undefined) return false;
  const { cpu, cards: onCards } = usable(kind);
  const used = onCards ? cards : [];
  if (used.length === 0 && !cpu) return false;
  const devices = used.flatMap((index) => machine.cards[index] ?? []);
  const shape = knownShape(demand.shape);
  if (gateRefusals(devices, engine, demand, machine.driver, shape).length > 0) return false;
  return search.fitter.onShare(
    fitDemandOf(demand, memoryKind(kind), wishesOf(demand.settings, shape)),
    machine,
    devices,
    1,
  ).fits;
}

/** What speaks against an engine on these cards before any memory is counted; files that it cannot read, on a processor too. */
function gateRefusals(
  cards: readonly PlanCard[],
  engine: Engine,
  demand: Demand,
  driver: string | undefined,
  shape: ModelShape | undefined,
): Tried["refusals"] {
  const asked = { engine, shape, kvType: kvType(demand.settings.kvCache.type ?? "auto") ?? "f16" };
  const onCards = cards.flatMap((card) => cardRefusals(card, asked, driver));
  if (onCards.length > 0 || shape === undefined) return onCards;
  const nowhere = { name: "", model: "", computeCapability: "" };
  return refuseByFormat({ engine, card: nowhere, shape, kvType: "f16" }, shape);
}

/** What speaks against an engine, its model and its type of cache on one card, before any memory is counted. */
export function cardRefusals(
  card: PlanCard,
  asked: Pick<GateInput, "engine" | "shape" | "kvType">,
  driver: string | undefined,
): readonly GateRefusal[] {
  if (card.computeCapability === undefined) return [];
  return checkGates({
    ...asked,
    card: { name: card.id, model: card.model, computeCapability: card.computeCapability },
    ...(driver === undefined ? {} : { driver }),
  });
}
