import { GEN_AI_METRICS, OMNI_METRICS } from "../../catalog/index.ts";
import type { RequestRecord } from "../request-record.ts";
import type { Registry } from "./registry.ts";
import type { Counter, Histogram } from "./series.ts";

/** Series of one service. */
export interface ServiceSeries {
  readonly prompt: Counter;
  readonly generated: Counter;
  readonly cached: Counter;
  readonly retries: Counter;
  readonly continued: Counter;
  readonly interToken: Histogram;
}

/** Series of one service on one route. */
export interface RouteSeries {
  readonly duration: Histogram;
  readonly firstToken: Histogram;
  readonly queue: Histogram;
}

/** Series of one operation of one model. */
export interface ModelSeries {
  readonly input: Histogram;
  readonly output: Histogram;
  readonly firstToken: Histogram;
  readonly outputToken: Histogram;
}

export interface KeySeries {
  readonly requests: Counter;
  readonly prompt: Counter;
  readonly generated: Counter;
}

/** All series that a request counts in, found for requests that are alike in all that labels say. */
export interface Counting {
  readonly of: Pick<
    RequestRecord,
    "operation" | "route" | "service" | "model" | "key" | "status" | "outcome" | "error"
  >;
  readonly route: RouteSeries;
  readonly code: Counter;
  readonly outcome: Counter;
  readonly service: ServiceSeries;
  readonly model: ModelSeries;
  readonly modelDuration: Histogram;
  readonly key: KeySeries;
  /** Of requests that were refused. */
  readonly refusals: Counter | undefined;
  readonly wentWell: boolean;
}

/** What differs most often is looked at first. */
export const isAlike = (a: Counting["of"], b: Counting["of"]): boolean =>
  a.service === b.service &&
  a.key === b.key &&
  a.status === b.status &&
  a.route === b.route &&
  a.outcome === b.outcome &&
  a.error === b.error &&
  a.model === b.model &&
  a.operation === b.operation;

/** Counts a request in the series that it was found for. */
export function count(record: RequestRecord, counting: Counting): void {
  const { route, service, model, key } = counting;
  const { promptTokens, completionTokens, cachedTokens, firstToken } = record;
  const duration = record.duration / 1000;
  counting.code.add(1);
  counting.outcome.add(1);
  counting.refusals?.add(1);
  counting.modelDuration.observe(duration);
  route.duration.observe(duration);
  route.queue.observe(record.queued / 1000);
  key.requests.add(1);
  service.retries.add(record.attempts - 1);
  service.continued.add(record.continued);
  if (promptTokens !== undefined) {
    service.prompt.add(promptTokens);
    key.prompt.add(promptTokens);
    model.input.observe(promptTokens);
  }
  if (completionTokens !== undefined) {
    service.generated.add(completionTokens);
    key.generated.add(completionTokens);
    model.output.observe(completionTokens);
  }
  if (cachedTokens !== undefined) service.cached.add(cachedTokens);
  if (firstToken === undefined) return;
  route.firstToken.observe(firstToken / 1000);
  if (!counting.wentWell) return;
  model.firstToken.observe(firstToken / 1000);
  const rest = (completionTokens ?? 0) - 1;
  if (rest > 0) model.outputToken.observe((record.duration - firstToken) / 1000 / rest);
}

/** The metrics of requests. */
export const families = (registry: Registry) => ({
  requests: registry.counter(OMNI_METRICS.requests),
  outcomes: registry.counter(OMNI_METRICS.outcomes),
  refusals: registry.counter(OMNI_METRICS.refusals),
  duration: registry.histogram(OMNI_METRICS.duration),
  firstToken: registry.histogram(OMNI_METRICS.firstToken),
  interToken: registry.histogram(OMNI_METRICS.interToken),
  queue: registry.histogram(OMNI_METRICS.queueTime),
  tokens: registry.counter(OMNI_METRICS.tokens),
  cached: registry.counter(OMNI_METRICS.cachedTokens),
  retries: registry.counter(OMNI_METRICS.retries),
  continued: registry.counter(OMNI_METRICS.continued),
  keyRequests: registry.counter(OMNI_METRICS.keyRequests),
  keyTokens: registry.counter(OMNI_METRICS.keyTokens),
  genDuration: registry.histogram(GEN_AI_METRICS.duration),
  genTokens: registry.histogram(GEN_AI_METRICS.tokens),
  genFirstToken: registry.histogram(GEN_AI_METRICS.firstToken),
  genOutputToken: registry.histogram(GEN_AI_METRICS.outputToken),
});
