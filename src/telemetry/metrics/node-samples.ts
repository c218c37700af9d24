import { OMNI_METRICS } from "../../catalog/index.ts";
import type { OmniMetric } from "../../catalog/index.ts";
import type { Sample } from "./registry.ts";

/** Of a service as the supervisor shows it, what metrics need. */
export interface ObservedService {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  readonly inFlight?: number;
  readonly load?: { readonly running?: number; readonly waiting?: number };
  readonly ladder?: { readonly rung: number };
}

/** A card at one moment, as the watch reads it. Bytes, degrees Celsius. */
export interface ObservedCard {
  readonly uuid: string;
  readonly index: number;
  readonly name: string;
  readonly lost?: unknown;
  readonly memoryUsed?: number;
  readonly memoryFree?: number;
  readonly temperature?: number;
  readonly lastXid?: number;
}

/** Cards and machine at one moment. Bytes. */
export interface ObservedMachine {
  readonly cards: readonly ObservedCard[];
  readonly host: {
    readonly memoryAvailable: number;
    readonly disks: readonly { readonly mount: string; readonly free: number }[];
  };
}

/**
 * Figures of services. `queued` is how many requests wait for each in the gateway; what waits within an engine is in its
 * own metrics. `running` is what the engine says where it says so, and the leases on it otherwise.
 */
export function serviceSamples(
  services: readonly ObservedService[],
  queued: (service: string) => number = () => 0,
): readonly Sample[] {
  const { ready, running, queued: waiting, ladder, restarts } = OMNI_METRICS;
  return services.flatMap((service) => {
    const labels = [service.name];
    return [
      { metric: ready, labels, value: service.state === "ready" ? 1 : 0 },
      { metric: running, labels, value: service.inFlight ?? service.load?.running ?? 0 },
      { metric: waiting, labels, value: queued(service.name) },
      { metric: ladder, labels, value: service.ladder?.rung ?? 0 },
      { metric: restarts, labels, value: service.restarts },
    ];
  });
}

/** Figures of cards, disks and main memory. A card that is lost has none: alerts look for their absence. */
export function machineSamples({ cards, host }: ObservedMachine): readonly Sample[] {
  const { diskFree, memoryAvailable } = OMNI_METRICS;
  return [
    ...cards.filter(({ lost }) => lost === undefined).flatMap(cardSamples),
    ...host.disks.map(({ mount, free }) => ({
      metric: diskFree,
      labels: [mount.split("/").findLast((part) => part !== "") ?? "root", mount],
      value: free,
    })),
    { metric: memoryAvailable, labels: [], value: host.memoryAvailable },
  ];
}

function cardSamples(card: ObservedCard): readonly Sample[] {
  const { cardFree, cardUsed, cardTemperature, cardXid } = OMNI_METRICS;
  const labels = [`${card.index} ${card.name}`, card.uuid];
  const figures = [
    [cardFree, card.memoryFree],
    [cardUsed, card.memoryUsed],
    [cardTemperature, card.temperature],
    [cardXid, card.lastXid ?? 0],
  ] as const;
  return figures.flatMap(([metric, value]) => (value === undefined ? [] : [{ metric, labels, value }]));
}

/** Figures of the gateway that are no request's: what is in flight, and its processes. */
export interface GatewayFigures {
  readonly openRequests?: number;
  readonly openStreams?: number;
  readonly workers?: number;
}

export function gatewaySamples(figures: GatewayFigures): readonly Sample[] {
  const { openRequests, streams, workers } = OMNI_METRICS;
  return [
    ...known(openRequests, figures.openRequests),
    ...known(streams, figures.openStreams),
    ...known(workers, figures.workers),
  ];
}

const known = (metric: OmniMetric, value: number | undefined): readonly Sample[] =>
  value === undefined ? [] : [{ metric, labels: [], value }];
