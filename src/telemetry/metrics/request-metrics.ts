import { STATUS_CODES } from "node:http";
import { KindMemory } from "../kind-memory.ts";
import type { RequestRecord } from "../request-record.ts";
import { FewNames, NONE, OTHER } from "./known-names.ts";
import type { MetricNames } from "./known-names.ts";
import { operationName } from "./operation-name.ts";
import type { Registry } from "./registry.ts";
import { count, families, isAlike } from "./request-series.ts";
import type { Counting, KeySeries, ModelSeries, RouteSeries, ServiceSeries } from "./request-series.ts";
import type { Histogram } from "./series.ts";

/** Keys and codes that are no part of the spec and have a label of their own; the rest share one. */
const MOST_KEYS = 200;
const MOST_ERRORS = 100;

/**
 * Counts requests. Series are found by names once and remembered for each kind of request, so that one of them costs a
 * dozen additions.
 */
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
  readonly #memory = new KindMemory<Counting["of"], Counting>(isAlike);
  /** Whose event was the last. */
  #streaming: { readonly service: string; readonly interToken: Histogram } | undefined;

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
    this.#memory.clear();
    this.#streaming = undefined;
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
    let counting = this.#memory.find(record);
    if (counting === undefined) {
      const operation = operationName(record.operation);
      if (operation === OTHER && record.route === undefined && record.service === undefined) return;
      counting = this.#countingOf(record, operation);
      this.#memory.add(counting);
    }
    count(record, counting);
  }

  /** Called for each event of each stream. */
  interToken(service: string, time: number): void {
    let streaming = this.#streaming;
    if (streaming?.service !== service) {
      const { interToken } = this.#serviceSeries(this.#serviceLabel(service));
      streaming = { service, interToken };
      this.#streaming = streaming;
    }
    streaming.interToken.observe(time / 1000);
  }

  #countingOf(record: RequestRecord, operation: string): Counting {
    const { route, service, model, key, status, outcome, error } = record;
    const label = this.#serviceLabel(service);
    const about = this.#services.get(label);
    const kind = about?.kind ?? NONE;
    const errorType = this.#errorType(record);
    const routeName = this.#routeLabel(route);
    const modelName = this.#modelLabel(model ?? about?.model);
    const routeSeries = this.#routeSeries(routeName, label);
    const modelSeries = this.#modelSeries(operation, modelName, kind);
    const { requests, outcomes, genDuration, refusals } = this.#families;
    return {
      of: { operation: record.operation, route, service, model, key, status, outcome, error },
      route: routeSeries,
      code: requests.of(routeName, label, statusLabel(status)),
      outcome: outcomes.of(routeName, label, outcome),
      service: this.#serviceSeries(label),
      model: modelSeries,
      modelDuration: genDuration.of(operation, modelName, kind, errorType),
      key: this.#keySeries(key),
      refusals: outcome === "refused" ? refusals.of(errorType === "" ? NONE : errorType) : undefined,
      wentWell: errorType === "",
    };
  }

  #routeLabel(route: string | undefined): string {
    if (route === undefined) return NONE;
    return this.#routes.has(route) ? route : OTHER;
  }

  #modelLabel(model: string | undefined): string {
    if (model === undefined) return NONE;
    return this.#models.has(model) ? model : OTHER;
  }

  #keySeries(key: string): KeySeries {
    const known = this.#ofKey.get(key);
    if (known !== undefined) return known;
    const name = this.#keys.has(key) ? key : this.#otherKeys.label(key, OTHER);
    const { keyRequests, keyTokens } = this.#families;
    const series = {
      requests: keyRequests.of(name),
      prompt: keyTokens.of(name, "prompt"),
      generated: keyTokens.of(name, "generated"),
    };
    if (name === key) this.#ofKey.set(key, series);
    return series;
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
    };
    entry(this.#ofRoute, route).set(service, series);
    return series;
  }

  #modelSeries(operation: string, model: string, kind: string): ModelSeries {
    const known = this.#ofModel.get(operation)?.get(model)?.get(kind);
    if (known !== undefined) return known;
    const { genTokens, genFirstToken, genOutputToken } = this.#families;
    const series: ModelSeries = {
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
