import { formatDuration } from "../../core/index.ts";
import type { RequestRecord } from "../request-record.ts";
import { recordLevel } from "./log-level.ts";
import { safePath } from "./safe-path.ts";

/** One line of the access log, with its line feed. No contents, no addresses, no secrets. */
export function accessLine(record: RequestRecord, format: "text" | "json"): string {
  return format === "json" ? jsonLine(record) : textLine(record);
}

/** One literal, because every spread of an object would be as dear as the rest of the line; what is undefined is left out. */
const jsonLine = (record: RequestRecord): string =>
  `${JSON.stringify({
    time: timeText(record.started),
    level: recordLevel(record),
    kind: "request",
    id: record.id,
    method: record.method,
    path: safePath(record.path),
    operation: record.operation,
    status: record.status,
    outcome: record.outcome,
    key: record.key,
    route: record.route,
    service: record.service,
    engine: record.engine,
    model: record.model,
    stream: record.stream,
    attempts: record.attempts,
    continued: record.continued,
    duration: rounded(record.duration),
    queued: rounded(record.queued),
    firstToken: record.firstToken === undefined ? undefined : rounded(record.firstToken),
    promptTokens: record.promptTokens,
    completionTokens: record.completionTokens,
    cachedTokens: record.cachedTokens,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    error: record.error,
    failures: failures(record.tries),
    trace: traceOf(record.traceparent),
  })}\n`;

/** The trace that a line belongs to, so that log and trace can be found from each other. */
function traceOf(traceparent: string | undefined): string | undefined {
  const trace = traceparent?.slice(3, 35);
  return trace === undefined || !/^[\da-f]{32}$/.test(trace) ? undefined : trace;
}

function failures(tries: RequestRecord["tries"] = []): readonly string[] | undefined {
  let list: string[] | undefined;
  for (const { service, failure } of tries) {
    if (failure !== undefined) (list ??= []).push(`${service}: ${failure}`);
  }
  return list;
}

/** Microseconds are enough. */
const rounded = (time: number): number => Math.round(time * 1000) / 1000;

function textLine(record: RequestRecord): string {
  const { route, service, promptTokens, completionTokens, firstToken, queued, error } = record;
  let line = `${timeText(record.started)} ${plain(record.method)} ${plain(safePath(record.path))} ${record.status}`;
  if (record.outcome !== "answered") line += ` ${record.outcome}`;
  line += ` ${formatDuration(record.duration)} key=${plain(record.key)}`;
  if (route !== undefined) line += ` route=${plain(route)}`;
  if (service !== undefined) line += ` service=${plain(service)}`;
  if (promptTokens !== undefined || completionTokens !== undefined) {
    line += ` tokens=${promptTokens ?? "?"}+${completionTokens ?? "?"}`;
  }
  if (firstToken !== undefined) line += ` first=${formatDuration(firstToken)}`;
  if (queued >= 1) line += ` queued=${formatDuration(queued)}`;
  if (record.attempts > 1) line += ` attempts=${record.attempts}`;
  if (record.continued > 0) line += ` continued=${record.continued}`;
  if (error !== undefined) line += ` error=${plain(error)}`;
  return `${line} id=${plain(record.id)}\n`;
}

/**
 * Nobody writes a second line or colours a terminal by the name of a route or the path of a request. The parts are looked
 * through one by one: walking through a line that was just put together takes V8 ten times as long.
 */
function plain(text: string): string {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
  }
  return text;
}

let second = Number.NaN;
let secondText = "";

/** ISO 8601 with milliseconds; the text of a second is made once. */
function timeText(time: number): string {
  const whole = Math.floor(time / 1000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1000).toISOString().slice(0, 20);
  }
  return `${secondText}${String(Math.floor(time - whole * 1000)).padStart(3, "0")}Z`;
}
