import { KindMemory } from "../kind-memory.ts";
import type { RequestRecord } from "../request-record.ts";
import { recordLevel } from "./log-level.ts";
import type { LogLevel } from "./log-level.ts";
import { safePath } from "./safe-path.ts";

/** What two lines have in common whose requests asked alike and ended alike, as the bytes of UTF-8. */
export interface LineParts {
  readonly level: LogLevel;
  /** Between the time and what is this request's own. */
  readonly first: Buffer;
  readonly second: Buffer;
}

/** What the parts are made of. */
type Known = Pick<
  RequestRecord,
  | "method"
  | "path"
  | "operation"
  | "status"
  | "outcome"
  | "key"
  | "route"
  | "service"
  | "engine"
  | "model"
  | "stream"
  | "attempts"
  | "continued"
>;

interface Entry extends LineParts {
  readonly of: Known;
}

/** Makes the parts of lines that requests have in common once and not for each of them. */
export class PartsMemory {
  readonly #make: typeof jsonParts;
  readonly #memory = new KindMemory<Known, Entry>(isAlike);

  constructor(format: "text" | "json") {
    this.#make = format === "json" ? jsonParts : textParts;
  }

  of(record: RequestRecord): LineParts {
    const found = this.#memory.find(record);
    if (found !== undefined) return found;
    const { method, path, operation, status, outcome, key, route, service, engine, model } = record;
    const { stream, attempts, continued } = record;
    const entry: Entry = {
      of: {
        method,
        path,
        operation,
        status,
        outcome,
        key,
        route,
        service,
        engine,
        model,
        stream,
        attempts,
        continued,
      },
      ...this.#make(record, recordLevel(record)),
    };
    this.#memory.add(entry);
    return entry;
  }
}

/** What differs most often is looked at first. */
const isAlike = (a: Known, b: Known): boolean =>
  a.service === b.service &&
  a.key === b.key &&
  a.status === b.status &&
  a.route === b.route &&
  a.stream === b.stream &&
  a.attempts === b.attempts &&
  a.continued === b.continued &&
  a.outcome === b.outcome &&
  a.model === b.model &&
  a.engine === b.engine &&
  a.method === b.method &&
  a.operation === b.operation &&
  a.path === b.path;

/** Behind the time; then from the id to the figures. */
function jsonParts(record: Known, level: LogLevel): LineParts {
  const { operation, status, outcome, key, route, service, engine, model } = record;
  const { method, stream, attempts, continued } = record;
  const path = safePath(record.path);
  const about = { method, path, operation, status, outcome, key, route, service, engine, model };
  const inner = JSON.stringify({ ...about, stream, attempts, continued }).slice(1, -1);
  return {
    level,
    first: Buffer.from(`Z","level":"${level}","kind":"request","id":`),
    second: Buffer.from(`,${inner},"duration":`),
  };
}

/** Behind the time; then from the duration to the figures. */
function textParts(record: Known, level: LogLevel): LineParts {
  const { method, path, status, outcome, key, route, service } = record;
  const first = `Z ${plain(method)} ${plain(safePath(path))} ${status}${outcome === "answered" ? "" : ` ${outcome}`} `;
  let second = ` key=${plain(key)}`;
  if (route !== undefined) second += ` route=${plain(route)}`;
  if (service !== undefined) second += ` service=${plain(service)}`;
  return { level, first: Buffer.from(first), second: Buffer.from(second) };
}

/** Nobody writes a second line or colours a terminal by the name of a route or the path of a request. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, "?");
