import { OMNI_METRICS } from "../../catalog/index.ts";
import type { Sample } from "./registry.ts";

export const buildSamples = (version: string): readonly Sample[] => [
  { metric: OMNI_METRICS.build, labels: [version], value: 1 },
];

/** Memory and processor time of this process, now. */
export function processSamples(): readonly Sample[] {
  const memory = process.memoryUsage();
  const time = process.cpuUsage();
  const { processMemory, processTime } = OMNI_METRICS;
  return [
    { metric: processMemory, labels: ["resident"], value: memory.rss },
    { metric: processMemory, labels: ["heap"], value: memory.heapUsed },
    { metric: processMemory, labels: ["external"], value: memory.external },
    { metric: processTime, labels: ["user"], value: time.user / 1e6 },
    { metric: processTime, labels: ["system"], value: time.system / 1e6 },
  ];
}
