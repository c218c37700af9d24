import { operationName } from "../metrics/operation-name.ts";
import { safePath } from "../access-log/safe-path.ts";
import type { RequestRecord } from "../request-record.ts";
import { attributes, nanoseconds, SPAN_KIND, STATUS_ERROR } from "./span.ts";
import type { OtlpSpan } from "./span.ts";

/** Ids of a request's spans. `tries` are those that engines were told, in order. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string;
  readonly tries: readonly string[];
}

/**
 * The spans of a request: one of the kind server for what the client saw, one of the kind client for each try at an engine.
 * Attributes carry the names of OpenTelemetry's conventions for HTTP and generative AI; no contents.
 */
export function requestSpans(record: RequestRecord, ids: SpanIds, newId: () => string): readonly OtlpSpan[] {
  const operation = operationName(record.operation);
  const model = record.model ?? record.route;
  const name = model === undefined ? `${record.method} ${operation}` : `${operation} ${model}`;
  const error = errorType(record);
  const server: OtlpSpan = {
    traceId: ids.traceId,
    spanId: ids.spanId,
    ...(ids.parentId === undefined ? {} : { parentSpanId: ids.parentId }),
    name,
    kind: SPAN_KIND.server,
    startTimeUnixNano: nanoseconds(record.started),
    endTimeUnixNano: nanoseconds(record.started + record.duration),
    attributes: attributes({
      "http.request.method": record.method,
      "http.response.status_code": record.status,
      "url.path": safePath(record.path).replace(/\?.*$/s, ""),
      "gen_ai.operation.name": operation,
      "gen_ai.request.model": model,
      "gen_ai.response.model": record.model,
      "gen_ai.provider.name": record.engine,
      "gen_ai.request.stream": record.stream ? true : undefined,
      "gen_ai.usage.input_tokens": record.promptTokens,
      "gen_ai.usage.output_tokens": record.completionTokens,
      "gen_ai.usage.cache_read.input_tokens": record.cachedTokens,
      "gen_ai.response.time_to_first_chunk":
        record.firstToken === undefined || !record.stream ? undefined : record.firstToken / 1000,
      "error.type": error,
      "omni.request.id": record.id,
      "omni.key": record.key,
      "omni.route": record.route,
      "omni.service": record.service,
      "omni.outcome": record.outcome,
      "omni.attempts": record.attempts,
      "omni.continued": record.continued,
      "omni.queued": record.queued / 1000,
    }),
    // What the client did wrong is no error of a server's span (conventions for HTTP spans).
    status: error !== undefined && serverFault(record) ? { code: STATUS_ERROR, message: error } : {},
  };
  return [
    server,
    ...(record.tries ?? []).map((one, index) => trySpan(one, ids.tries[index] ?? newId(), ids)),
  ];
}

type Try = NonNullable<RequestRecord["tries"]>[number];

const trySpan = ({ service, began, ended, failure }: Try, spanId: string, ids: SpanIds): OtlpSpan => ({
  traceId: ids.traceId,
  spanId,
  parentSpanId: ids.spanId,
  name: `try ${service}`,
  kind: SPAN_KIND.client,
  startTimeUnixNano: nanoseconds(began),
  endTimeUnixNano: nanoseconds(ended),
  attributes: attributes({ "omni.service": service, "error.type": failure }),
  status: failure === undefined ? {} : { code: STATUS_ERROR, message: failure.slice(0, 200) },
});

const serverFault = ({ outcome, status }: RequestRecord): boolean =>
  outcome === "failed" || outcome === "cut" || status >= 500;

const errorType = ({ error, outcome, status }: RequestRecord): string | undefined => {
  if (error !== undefined) return error;
  if (outcome === "cut" || outcome === "abandoned") return outcome;
  return status >= 400 || outcome !== "answered" ? String(status) : undefined;
};
