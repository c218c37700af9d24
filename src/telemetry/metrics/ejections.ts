import { OMNI_METRICS } from "../../catalog/index.ts";
import type { EventLog } from "../../core/index.ts";
import type { Collector } from "./registry.ts";

interface Standing {
  ejected: boolean;
  times: number;
}

/**
 * Which services the routers of a node leave out and how often they began to, by the events that they tell: so it is one
 * count, however many processes route. `close` ends the watch.
 */
export function watchEjections(events: Pick<EventLog, "subscribe">): Collector & { close(): void } {
  const services = new Map<string, Standing>();
  const close = events.subscribe(({ kind, service }) => {
    if (service === undefined || (kind !== "gateway.ejected" && kind !== "gateway.readmitted")) return;
    const standing = services.get(service) ?? { ejected: false, times: 0 };
    standing.ejected = kind === "gateway.ejected";
    if (standing.ejected) standing.times++;
    services.set(service, standing);
  });
  const { ejected, ejections } = OMNI_METRICS;
  return {
    close,
    collect: () =>
      [...services].flatMap(([service, standing]) => [
        { metric: ejected, labels: [service], value: standing.ejected ? 1 : 0 },
        { metric: ejections, labels: [service], value: standing.times },
      ]),
  };
}
