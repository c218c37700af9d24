import type { OmniMetric } from "../../catalog/index.ts";

/** What a metric is, as plain data. */
export type MetricHead = Pick<OmniMetric, "name" | "type" | "help" | "labels" | "buckets" | "merge">;

export interface ValueSnapshot {
  /** Values of the metric's labels, in their order. */
  readonly labels: readonly string[];
  readonly value: number;
}

export interface HistogramSnapshot {
  readonly labels: readonly string[];
  /** Of each bucket by itself; one more than the metric has bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface FamilySnapshot {
  readonly metric: MetricHead;
  readonly values: readonly ValueSnapshot[];
  readonly histograms: readonly HistogramSnapshot[];
}

/** All series at one moment. Plain data: it can be sent to another process as JSON or a structured clone. */
export type MetricsSnapshot = readonly FamilySnapshot[];

interface Merging {
  readonly metric: MetricHead;
  readonly values: Map<string, { labels: readonly string[]; value: number }>;
  readonly histograms: Map<string, { labels: readonly string[]; counts: number[]; sum: number }>;
}

/**
 * One snapshot of several, as of the processes of one gateway: counts are added up, gauges too unless their metric says
 * that the largest counts. The order is that of first appearance.
 */
export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const families = new Map<string, Merging>();
  for (const family of snapshots.flat()) {
    let into = families.get(family.metric.name);
    if (into === undefined) {
      into = { metric: family.metric, values: new Map(), histograms: new Map() };
      families.set(family.metric.name, into);
    }
    for (const one of family.values) mergeValue(into, one);
    for (const one of family.histograms) mergeHistogram(into, one);
  }
  return [...families.values()].map(({ metric, values, histograms }) => ({
    metric,
    values: [...values.values()],
    histograms: [...histograms.values()],
  }));
}

function mergeValue(into: Merging, { labels, value }: ValueSnapshot): void {
  const key = labelKey(labels);
  const known = into.values.get(key);
  if (known === undefined) into.values.set(key, { labels, value });
  else if (into.metric.merge === "max") known.value = Math.max(known.value, value);
  else known.value += value;
}

/** Buckets of another version of Omni cannot be added to these; their own are left out rather than mixed up. */
function mergeHistogram(into: Merging, { labels, counts, sum }: HistogramSnapshot): void {
  const key = labelKey(labels);
  const known = into.histograms.get(key);
  if (known === undefined) into.histograms.set(key, { labels, counts: [...counts], sum });
  else if (known.counts.length === counts.length) {
    for (const [index, count] of counts.entries()) known.counts[index] = (known.counts[index] ?? 0) + count;
    known.sum += sum;
  }
}

/** No two lists of labels have the same text: each value is preceded by its length. */
export const labelKey = (labels: readonly string[]): string =>
  labels.map((label) => `${label.length}:${label}`).join("");
