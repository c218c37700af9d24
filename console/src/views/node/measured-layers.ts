import type { Card, Reading, Service } from "../../live/live-state.ts";
import { newestOf } from "../plan/measured-beside.ts";
import type { Measured } from "../plan/plan-types.ts";
import { filled } from "./vessel.ts";
import type { Layer } from "./vessel.ts";

type Took = Measured["devices"][number]["took"];

/** Who is there, and what their starts were seen to take. */
export interface Known {
  readonly services: readonly Service[];
  readonly measured: readonly Measured[];
}

/** What a card holds now, by its driver; `device` is its name in the plan. `undefined` where the driver does not tell. */
export function cardLayers(
  card: Card,
  device: string | undefined,
  known: Known,
): readonly Layer[] | undefined {
  const { memoryTotal, memoryUsed, memoryReserved = 0, holders = [] } = card;
  if (memoryTotal === undefined || memoryUsed === undefined) return undefined;
  const held = holders.flatMap(({ pid, bytes }): readonly Layer[] => {
    const service = known.services.find((one) => one.pid === pid);
    if (service === undefined) return [{ of: `process ${pid}`, tone: "other", bytes }];
    return split(service.name, bytes, tookOf(known.measured, service.name, device));
  });
  const told = holders.reduce((sum, { bytes }) => sum + bytes, 0);
  return filled(
    [
      ...held,
      { of: "whoever the driver does not name", tone: "other", bytes: Math.max(0, memoryUsed - told) },
      { of: "the driver", tone: "driver", bytes: memoryReserved },
    ],
    memoryTotal,
  );
}

/** States in which an engine is there. */
const THERE: ReadonlySet<Service["state"]> = new Set(["loading", "ready", "draining", "asleep", "stopping"]);

/** What main memory holds now. What services took at their start is told apart where it is not more than all that is used. */
export function memoryLayers(host: Reading["host"], device: string, known: Known): readonly Layer[] {
  const used = host.memoryTotal - host.memoryAvailable;
  const told = known.services
    .filter(({ state }) => THERE.has(state))
    .flatMap(({ name }) => {
      const took = tookOf(known.measured, name, device);
      return took === undefined ? [] : split(name, took.total ?? sumOf(took), took);
    });
  const sum = told.reduce((all, { bytes }) => all + bytes, 0);
  const layers = sum <= used ? told : [];
  const rest = used - (sum <= used ? sum : 0);
  return filled(
    [...layers, { of: layers.length === 0 ? "all programs" : "other programs", tone: "other", bytes: rest }],
    host.memoryTotal,
  );
}

const sumOf = ({ weights = 0, kvCache = 0, compute = 0 }: Took): number => weights + kvCache + compute;

/** By the newest start of the service that was measured. */
const tookOf = (
  measured: readonly Measured[],
  service: string,
  device: string | undefined,
): Took | undefined => newestOf(measured, service)?.devices.find((one) => one.device === device)?.took;

/** Bytes of a service by term, where its engine told the terms and they are no more than what is held. */
function split(of: string, bytes: number, took: Took | undefined): readonly Layer[] {
  const named = took === undefined ? 0 : sumOf(took);
  if (took === undefined || named === 0 || named > bytes) return [{ of, tone: "held", bytes }];
  const { weights = 0, kvCache = 0, compute = 0 } = took;
  const whole = took.weights !== undefined && took.kvCache !== undefined;
  return [
    { of, tone: "weights", bytes: weights },
    { of, tone: "kv", bytes: kvCache },
    { of, tone: "compute", bytes: compute },
    { of, tone: whole ? "overhead" : "held", bytes: bytes - named },
  ];
}
