import type { Service } from "../spec/spec.ts";
import type { Candidate } from "./candidates.ts";
import type { PlanCard, PlanMachine } from "./machines.ts";

/**
 * What a placement is worth, in points. Having a service at all counts most and by its priority; then the engine that
 * its owner put first; then whole models on cards; then context and parallel requests; last, not to waste cards.
 * A service of the highest priority is worth ten of the lowest.
 */
const POINTS = {
  placed: 1_000_000,
  /** Lost with every engine of the chain that was passed over, up to five. */
  laterEngine: 80_000,
  /** Lost when a part of the weights is in main memory, */
  notResident: 100_000,
  /** and with the share of them that is: every token waits for these. */
  inMainMemory: 100_000,
  /** Lost on the processor, for a service that did not ask for it. */
  processor: 250_000,
  /** Lost elsewhere, for a service that names an engine of this node first: it is what remains when nothing here can. */
  elsewhere: 450_000,
  /** Won with the longest context that the model was trained for; less by the logarithm. */
  context: 60_000,
  /** Won with 16 requests at a time or more. */
  parallel: 15_000,
  /** Won on a card whose role is the service's. */
  role: 20_000,
  /** Lost with each card beyond the first: every layer's result crosses the bus. */
  card: 6000,
  /** Lost when the cards are on different NUMA nodes. */
  numa: 5000,
  /** Lost when cards that split every layer share it over fewer than eight PCIe lanes. */
  narrowLink: 8000,
  /** Lost with each GiB of card memory taken. */
  gibibyte: 10,
} as const;
const SHORTEST_CONTEXT = 512;
const MANY_REQUESTS = 16;
const WIDE_LINK = 8;

/** The value of a candidate for a service on a machine; always above 0. */
export function valueOf(candidate: Candidate, service: Service, machine: PlanMachine): number {
  const cards = candidate.cards.flatMap((index) => machine.cards[index] ?? []);
  const onProcessor = cards.length === 0 && !candidate.kind.remote && service.devices.kind === "auto";
  const nodes = new Set(cards.flatMap((card) => card.numaNode ?? []));
  const taken = candidate.prediction.devices.reduce((sum, device) => sum + device.total, 0);
  const points =
    POINTS.placed -
    POINTS.laterEngine * Math.min(candidate.rank, 5) -
    (candidate.resident ? 0 : POINTS.notResident + POINTS.inMainMemory * shareInMemory(candidate)) -
    (onProcessor ? POINTS.processor : 0) -
    (candidate.kind.remote && candidate.rank > 0 ? POINTS.elsewhere : 0) +
    POINTS.context * contextShare(candidate) +
    POINTS.parallel * Math.min(1, Math.log2(1 + concurrency(candidate)) / Math.log2(1 + MANY_REQUESTS)) +
    (service.role !== undefined && cards.some((card) => card.role === service.role) ? POINTS.role : 0) -
    POINTS.card * Math.max(0, cards.length - 1) -
    (nodes.size > 1 ? POINTS.numa : 0) -
    (isNarrow(candidate, cards) ? POINTS.narrowLink : 0) -
    POINTS.gibibyte * (taken / 2 ** 30);
  return Math.max(1, Math.round(points * (service.priority + 1)));
}

const isNarrow = ({ prediction }: Candidate, cards: readonly PlanCard[]): boolean =>
  prediction.settings.tensorParallel > 1 && cards.some((card) => (card.lanes ?? WIDE_LINK) < WIDE_LINK);

function shareInMemory({ prediction: { devices, host } }: Candidate): number {
  const weights = host.weights + devices.reduce((sum, device) => sum + device.weights, 0);
  return weights === 0 ? 0 : host.weights / weights;
}

const concurrency = ({ prediction }: Candidate): number =>
  Math.min(prediction.settings.parallel, Math.max(1, prediction.kv.concurrency));

/** 0 at the shortest context anyone uses, 1 at a million tokens. */
const contextShare = ({ prediction }: Candidate): number =>
  Math.min(1, Math.max(0, Math.log2(Math.max(1, prediction.settings.contextTokens) / SHORTEST_CONTEXT) / 11));
