import type { Answer } from "../../../../src/api/contract/index.ts";
import type { Reading } from "../../live/live-state.ts";
import type { Dot } from "../../parts/sparkline.tsx";

type CardPoint = Answer<"GET /api/history/cards/{uuid}">["points"][number];
type HostPoint = Answer<"GET /api/history/host">["points"][number];
type CardFigure = "utilization" | "temperature" | "power" | "memoryUsed";

/** Milliseconds that a line shows. */
const SPAN = 3_600_000;

/** A figure of a card over the last hour: its history, and behind it what was seen since. */
export function cardTrend(
  points: readonly CardPoint[],
  readings: readonly Reading[],
  uuid: string,
  figure: CardFigure,
): readonly Dot[] {
  return joined(
    points.map((point) => ({ time: point.time, value: point[figure]?.average })),
    readings.map(({ time, cards }) => {
      const card = cards.find((one) => one.uuid === uuid);
      return { time, value: card?.lost === undefined ? card?.[figure] : undefined };
    }),
  );
}

/** A figure of the machine over the last hour. */
export function hostTrend(
  points: readonly HostPoint[],
  readings: readonly Reading[],
  ofPoint: (point: HostPoint) => number | undefined,
  ofHost: (host: Reading["host"]) => number | undefined,
): readonly Dot[] {
  return joined(
    points.map((point) => ({ time: point.time, value: ofPoint(point) })),
    readings.map(({ time, host }) => ({ time, value: ofHost(host) })),
  );
}

function joined(past: readonly Dot[], seen: readonly Dot[]): readonly Dot[] {
  const known = past.at(-1)?.time ?? 0;
  const all = [...past, ...seen.filter(({ time }) => time > known)];
  const newest = all.at(-1)?.time ?? 0;
  return all.filter(({ time }) => time >= newest - SPAN);
}
