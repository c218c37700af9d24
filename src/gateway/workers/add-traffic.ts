import type { ServiceTraffic } from "../traffic.ts";

type Counts = Readonly<Record<string, ServiceTraffic>>;

/** The counts of all workers as one. */
export function addTraffic(all: readonly Counts[]): Record<string, ServiceTraffic> {
  const sum: Record<string, ServiceTraffic> = {};
  for (const [service, counts] of all.flatMap((one) => Object.entries(one))) {
    const before = sum[service];
    sum[service] = before === undefined ? { ...counts } : added(before, counts);
  }
  return sum;
}

const added = (a: ServiceTraffic, b: ServiceTraffic): ServiceTraffic => ({
  attempts: a.attempts + b.attempts,
  inFlight: a.inFlight + b.inFlight,
  retried: a.retried + b.retried,
  cut: a.cut + b.cut,
  continued: a.continued + b.continued,
  promptTokens: a.promptTokens + b.promptTokens,
  completionTokens: a.completionTokens + b.completionTokens,
});
