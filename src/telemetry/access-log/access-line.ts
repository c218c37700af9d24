import { formatDuration } from "../../core/index.ts";
import type { RequestRecord } from "../request-record.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

/** How severe a request is for the log: refusals are warnings, what broke on this side is an error. */
export function recordLevel({ outcome, status }: RequestRecord): LogLevel {
  if (outcome === "failed" || outcome === "cut" || status >= 500) return "error";
  return outcome === "refused" || status >= 400 ? "warning" : "info";
}

/** Names of parameters whose values are secrets, also as parts of longer names: `api_key`, `access-token`. */
const SECRET_NAME = /key|token|secret|password|passwd|signature|sig$|auth|credential|code/i;
const LONGEST_PATH = 500;

/** A path for the log: values of parameters that may be secrets are masked, and it ends after 500 characters. */
export function safePath(path: string): string {
  const mark = path.indexOf("?");
  const whole =
    mark < 0
      ? path
      : path.slice(0, mark + 1) +
        path
          .slice(mark + 1)
          .split("&")
          .map((pair) => maskPair(pair))
          .join("&");
  return whole.length > LONGEST_PATH ? `${whole.slice(0, LONGEST_PATH)}…` : whole;
}

function maskPair(pair: string): string {
  const equals = pair.indexOf("=");
  // A parameter without a name may be the secret itself.
  if (equals <= 0) return pair.length > 20 ? "***" : pair;
  const name = pair.slice(0, equals);
  return SECRET_NAME.test(decoded(name)) ? `${name}=***` : pair;
}

/** Percent signs must not hide a name. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** One line of the access log, with its line feed. No contents, no addresses, no secrets. */
export function accessLine(record: RequestRecord, format: "text" | "json"): string {
  return format === "json" ? jsonLine(record) : textLine(record);
}

function jsonLine(record: RequestRecord): string {
  const { started, path, tries, traceparent, duration, queued, firstToken, ...rest } = record;
  return `${JSON.stringify({
    time: new Date(started).toISOString(),
    level: recordLevel(record),
    kind: "request",
    ...rest,
    path: safePath(path),
    duration: rounded(duration),
    queued: rounded(queued),
    ...(firstToken === undefined ? {} : { firstToken: rounded(firstToken) }),
    ...traceOf(traceparent),
    ...triesOf(tries),
  })}\n`;
}

/** The trace that a line belongs to, so that log and trace can be found from each other. */
const traceOf = (traceparent: string | undefined): { readonly trace?: string } => {
  const trace = traceparent?.slice(3, 35);
  return trace === undefined || !/^[\da-f]{32}$/.test(trace) ? {} : { trace };
};

const triesOf = (tries: RequestRecord["tries"]): { readonly failures?: readonly string[] } => {
  const failures = (tries ?? []).flatMap(({ service, failure }) =>
    failure === undefined ? [] : [`${service}: ${failure}`],
  );
  return failures.length === 0 ? {} : { failures };
};

/** Microseconds are enough. */
const rounded = (time: number): number => Math.round(time * 1000) / 1000;

function textLine(record: RequestRecord): string {
  const { started, method, path, status, outcome, key, route, service, duration, queued, error, id } = record;
  const { promptTokens, completionTokens, firstToken, attempts, continued } = record;
  const parts = [
    new Date(started).toISOString(),
    method,
    safePath(path),
    String(status),
    ...(outcome === "answered" ? [] : [outcome]),
    formatDuration(duration),
    `key=${key}`,
    ...(route === undefined ? [] : [`route=${route}`]),
    ...(service === undefined ? [] : [`service=${service}`]),
    ...(promptTokens === undefined && completionTokens === undefined
      ? []
      : [`tokens=${promptTokens ?? "?"}+${completionTokens ?? "?"}`]),
    ...(firstToken === undefined ? [] : [`first=${formatDuration(firstToken)}`]),
    ...(queued < 1 ? [] : [`queued=${formatDuration(queued)}`]),
    ...(attempts > 1 ? [`attempts=${attempts}`] : []),
    ...(continued > 0 ? [`continued=${continued}`] : []),
    ...(error === undefined ? [] : [`error=${error}`]),
    `id=${id}`,
  ];
  return `${oneLine(parts.join(" "))}\n`;
}

/** Nobody writes a second line or colours a terminal by the name of a route or the path of a request. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
