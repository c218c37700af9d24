import type { OmniMetric } from "../../catalog/index.ts";
import { Counter, Histogram } from "./series.ts";
import { labelKey, mergeSnapshots } from "./snapshot.ts";
import type { FamilySnapshot, MetricHead, MetricsSnapshot } from "./snapshot.ts";

/** One figure, read when somebody asks. */
export interface Sample {
  readonly metric: MetricHead;
  /** Values of the metric's labels, in their order. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** Figures that somebody else keeps: they are asked for at each scrape and cost nothing in between. */
export interface Collector {
  collect(): Iterable<Sample>;
}

/** The series of one metric by the values of its labels. Whoever asks for a series answers for its values being few. */
export class Family<S extends Counter | Histogram> {
  readonly metric: OmniMetric;
  readonly #make: () => S;
  readonly #series = new Map<string, { readonly labels: readonly string[]; readonly series: S }>();

  constructor(metric: OmniMetric, make: () => S) {
    this.metric = metric;
    this.#make = make;
  }

  /** The series with these labels, in the metric's order; to be kept by those who use it often. */
  of(...labels: readonly string[]): S {
    const key = labelKey(labels);
    let found = this.#series.get(key);
    if (found === undefined) {
      found = { labels, series: this.#make() };
      this.#series.set(key, found);
    }
    return found.series;
  }

  /** Drops series: names that a new spec no longer has. */
  keep(wanted: (labels: readonly string[]) => boolean): void {
    for (const [key, { labels }] of this.#series) if (!wanted(labels)) this.#series.delete(key);
  }

  snapshot(): FamilySnapshot {
    const all = [...this.#series.values()];
    return {
      metric: headOf(this.metric),
      values: all.flatMap(({ labels, series }) =>
        series instanceof Counter ? [{ labels, value: series.value }] : [],
      ),
      histograms: all.flatMap(({ labels, series }) =>
        series instanceof Histogram ? [{ labels, counts: [...series.counts], sum: series.sum }] : [],
      ),
    };
  }
}

/** All metrics of one process. */
export class Registry {
  readonly #families: Family<Counter | Histogram>[] = [];
  readonly #collectors = new Set<Collector>();

  counter(metric: OmniMetric): Family<Counter> {
    const family = new Family(metric, () => new Counter());
    this.#families.push(family);
    return family;
  }

  histogram(metric: OmniMetric): Family<Histogram> {
    const bounds = Float64Array.from(metric.buckets ?? []);
    const family = new Family(metric, () => new Histogram(bounds));
    this.#families.push(family);
    return family;
  }

  /** Takes in what `collector` tells at each snapshot; the returned function ends that. */
  add(collector: Collector): () => void {
    this.#collectors.add(collector);
    return () => this.#collectors.delete(collector);
  }

  /** Everything now. A collector that throws is left out: the other figures matter then more than ever. */
  snapshot(): MetricsSnapshot {
    const collected = [...this.#collectors].flatMap((collector) => samplesOf(collector));
    return mergeSnapshots([this.#families.map((family) => family.snapshot()), collected.map(asFamily)]);
  }

  keep(wanted: (metric: OmniMetric, labels: readonly string[]) => boolean): void {
    for (const family of this.#families) family.keep((labels) => wanted(family.metric, labels));
  }
}

function samplesOf(collector: Collector): readonly Sample[] {
  try {
    return [...collector.collect()];
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
    return [];
  }
}

const asFamily = ({ metric, labels, value }: Sample): FamilySnapshot => ({
  metric: headOf(metric),
  values: [{ labels, value }],
  histograms: [],
});

const headOf = ({ name, type, help, labels, buckets, merge }: MetricHead): MetricHead => ({
  name,
  type,
  help,
  labels,
  ...(buckets === undefined ? {} : { buckets }),
  ...(merge === undefined ? {} : { merge }),
});
