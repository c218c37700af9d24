import { STATUS_CODES } from "node:http";
import { GEN_AI_METRICS, OMNI_METRICS } from "../../catalog/index.ts";
import type { RequestRecord } from "../request-record.ts";
import { FewNames, NONE, OTHER } from "./known-names.ts";
import type { MetricNames } from "./known-names.ts";
import { operationName } from "./operation-name.ts";
import type { Registry } from "./registry.ts";
import type { Counter, Histogram } from "./series.ts";

/** Keys and codes that are no part of the spec and have a label of their own; the rest share one. */
const MOST_KEYS = 200;
const MOST_ERRORS = 100;

/** Series of one service. */
interface ServiceSeries {
  readonly prompt: Counter;
  readonly generated: Counter;
  readonly cached: Counter;
  readonly retries: Counter;
  readonly continued: Counter;
  readonly interToken: Histogram;
}

/** Series of one service on one route. */
interface RouteSeries {
  readonly duration: Histogram;
  readonly firstToken: Histogram;
  readonly queue: Histogram;
  readonly codes: Map<number, Counter>;
  readonly outcomes: Map<string, Counter>;
}

/** Series of one operation of one model. */
interface ModelSeries {
  readonly durations: Map<string, Histogram>;
  readonly input: Histogram;
  readonly output: Histogram;
  readonly firstToken: Histogram;
  readonly outputToken: Histogram;
}

interface KeySeries {
  readonly requests: Counter;
  readonly prompt: Counter;
  readonly generated: Counter;
}

/** Counts requests. Series are looked up by name once and kept, so that a request costs a few look-ups in small maps. */
export class RequestMetrics {
  readonly #registry: Registry;
  readonly #families;
  readonly #errors = new FewNames(MOST_ERRORS, /^[a-z][a-z0-9_.-]{0,63}$/);
  readonly #otherKeys = new FewNames(MOST_KEYS, /^[\w.@/-]{1,100}$/);
  #routes: ReadonlySet<string> = new Set();
  #models: ReadonlySet<string> = new Set();
  #keys: ReadonlySet<string> = new Set();
  #services: ReadonlyMap<string, { readonly model: string; readonly kind: string }> = new Map();
  #ofService = new Map<string, ServiceSeries>();
  #ofRoute = new Map<string, Map<string, RouteSeries>>();
  #ofModel = new Map<string, Map<string, Map<string, ModelSeries>>>();
  #ofKey = new Map<string, KeySeries>();

  constructor(registry: Registry, names: MetricNames) {
    this.#registry = registry;
    this.#families = families(registry);
    this.rename(names);
  }

  /** Takes the names of another spec; series of names that are gone are dropped. */
  rename(names: MetricNames): void {
    this.#routes = new Set(names.routes);
    this.#services = new Map(names.services.map((service) => [service.name, service]));
    this.#models = new Set(names.services.flatMap(({ name, model }) => [name, model]));
    this.#keys = new Set(names.keys);
    this.#ofService = new Map();
    this.#ofRoute = new Map();
    this.#ofModel = new Map();
    this.#ofKey = new Map();
    const known: Readonly<Record<string, (name: string) => boolean>> = {
      omni_route: (name) => this.#routes.has(name),
      omni_service: (name) => this.#services.has(name),
      gen_ai_request_model: (name) => this.#models.has(name),
    };
    this.#registry.keep(({ labels }, values) =>
      labels.every((label, index) => {
        const value = values[index] ?? "";
        return value === OTHER || value === NONE || (known[label]?.(value) ?? true);
      }),
    );
  }

  /** Counts a request that asked for a model; looks at the node's own pages are no traffic. */
  finished(record: RequestRecord): void {
    const operation = operationName(record.operation);
    if (operation === OTHER && record.route === undefined && record.service === undefined) return;
    const service = this.#serviceLabel(record.service);
    const error = this.#errorType(record);
    this.#countRoute(record, service);
    this.#countService(record, service);
    this.#countModel(record, operation, service, error);
    this.#countKey(record);
    if (record.outcome === "refused") this.#families.refusals.of(error === "" ? NONE : error).add(1);
  }

  interToken(service: string, time: number): void {
    this.#serviceSeries(this.#serviceLabel(service)).interToken.observe(time / 1000);
  }

  #countRoute(record: RequestRecord, service: string): void {
    const { route } = record;
    const name = route === undefined ? NONE : this.#routes.has(route) ? route : OTHER;
    const series = this.#routeSeries(name, service);
    series.duration.observe(record.duration / 1000);
    series.queue.observe(record.queued / 1000);
    if (record.firstToken !== undefined) series.firstToken.observe(record.firstToken / 1000);
    let code = series.codes.get(record.status);
    if (code === undefined) {
      code = this.#families.requests.of(name, service, statusLabel(record.status));
      // Statuses that HTTP does not know share a series; they are not remembered one by one.
      if (record.status in STATUS_CODES) series.codes.set(record.status, code);
    }
    code.add(1);
    let outcome = series.outcomes.get(record.outcome);
    if (outcome === undefined) {
      outcome = this.#families.outcomes.of(name, service, record.outcome);
      series.outcomes.set(record.outcome, outcome);
    }
    outcome.add(1);
  }

  #countService(record: RequestRecord, service: string): void {
    const series = this.#serviceSeries(service);
    if (record.promptTokens !== undefined) series.prompt.add(record.promptTokens);
    if (record.completionTokens !== undefined) series.generated.add(record.completionTokens);
    if (record.cachedTokens !== undefined) series.cached.add(record.cachedTokens);
    series.retries.add(record.attempts - 1);
    series.continued.add(record.continued);
  }

  #countModel(record: RequestRecord, operation: string, service: string, error: string): void {
    const about = this.#services.get(service);
    const asked = record.model ?? about?.model;
    const model = asked === undefined ? NONE : this.#models.has(asked) ? asked : OTHER;
    const series = this.#modelSeries(operation, model, about?.kind ?? NONE);
    let duration = series.durations.get(error);
    if (duration === undefined) {
      duration = this.#families.genDuration.of(operation, model, about?.kind ?? NONE, error);
      series.durations.set(error, duration);
    }
    duration.observe(record.duration / 1000);
    if (record.promptTokens !== undefined) series.input.observe(record.promptTokens);
    if (record.completionTokens !== undefined) series.output.observe(record.completionTokens);
    if (error !== "" || record.firstToken === undefined) return;
    series.firstToken.observe(record.firstToken / 1000);
    const rest = (record.completionTokens ?? 0) - 1;
    if (rest > 0) series.outputToken.observe((record.duration - record.firstToken) / 1000 / rest);
  }

  #countKey({ key, promptTokens, completionTokens }: RequestRecord): void {
    let series = this.#ofKey.get(key);
    if (series === undefined) {
      const name = this.#keys.has(key) ? key : this.#otherKeys.label(key, OTHER);
      const { keyRequests, keyTokens } = this.#families;
      series = {
        requests: keyRequests.of(name),
        prompt: keyTokens.of(name, "prompt"),
        generated: keyTokens.of(name, "generated"),
      };
      if (name === key) this.#ofKey.set(key, series);
    }
    series.requests.add(1);
    if (promptTokens !== undefined) series.prompt.add(promptTokens);
    if (completionTokens !== undefined) series.generated.add(completionTokens);
  }

  /** The class of what went wrong; empty where nothing did. */
  #errorType({ status, outcome, error }: RequestRecord): string {
    if (error !== undefined) return this.#errors.label(error, "_OTHER");
    if (outcome === "answered") return status < 400 ? "" : statusLabel(status);
    return outcome === "cut" || outcome === "abandoned" ? outcome : statusLabel(status);
  }

  #serviceLabel(service: string | undefined): string {
    if (service === undefined) return NONE;
    return this.#services.has(service) ? service : OTHER;
  }

  #serviceSeries(service: string): ServiceSeries {
    let series = this.#ofService.get(service);
    if (series === undefined) {
      const { tokens, cached, retries, continued, interToken } = this.#families;
      series = {
        prompt: tokens.of(service, "prompt"),
        generated: tokens.of(service, "generated"),
        cached: cached.of(service),
        retries: retries.of(service),
        continued: continued.of(service),
        interToken: interToken.of(service),
      };
      this.#ofService.set(service, series);
    }
    return series;
  }

  #routeSeries(route: string, service: string): RouteSeries {
    const known = this.#ofRoute.get(route)?.get(service);
    if (known !== undefined) return known;
    const { duration, firstToken, queue } = this.#families;
    const series: RouteSeries = {
      duration: duration.of(route, service),
      firstToken: firstToken.of(route, service),
      queue: queue.of(route, service),
      codes: new Map(),
      outcomes: new Map(),
    };
    entry(this.#ofRoute, route).set(service, series);
    return series;
  }

  #modelSeries(operation: string, model: string, kind: string): ModelSeries {
    const known = this.#ofModel.get(operation)?.get(model)?.get(kind);
    if (known !== undefined) return known;
    const { genTokens, genFirstToken, genOutputToken } = this.#families;
    const series: ModelSeries = {
      durations: new Map(),
      input: genTokens.of(operation, model, kind, "input"),
      output: genTokens.of(operation, model, kind, "output"),
      firstToken: genFirstToken.of(operation, model, kind),
      outputToken: genOutputToken.of(operation, model, kind),
    };
    entry(entry(this.#ofModel, operation), model).set(kind, series);
    return series;
  }
}

function entry<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}

const statusLabel = (status: number): string =>
  status in STATUS_CODES
    ? String(status)
    : status >= 100 && status < 600
      ? `${Math.floor(status / 100)}xx`
      : OTHER;

const families = (registry: Registry) => ({
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
