/**
 * One request as it is kept: numbers and names, no contents. Times are milliseconds. What is unknown may be left out or be
 * `undefined`: objects that all have the same members are read faster.
 */
export interface RequestRow {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly method: string;
  readonly path: string;
  /** `chat`, `messages`, `embeddings`, …: the last words of the path. */
  readonly operation: string;
  /** As it was sent; 499 where the client left before. */
  readonly status: number;
  readonly outcome: string;
  readonly key: string;
  readonly route?: string | undefined;
  readonly service?: string | undefined;
  readonly engine?: string | undefined;
  readonly model?: string | undefined;
  readonly stream: boolean;
  readonly attempts: number;
  /** Times that a cut answer was continued on another engine. */
  readonly continued: number;
  /** From the last byte of the request to the last byte of the answer. */
  readonly duration: number;
  /** Of these, waiting for a place or a model. */
  readonly queued: number;
  /** To the first byte of the answer's content. */
  readonly firstToken?: number | undefined;
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
  readonly cachedTokens?: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The code of an error that Omni itself answered. */
  readonly error?: string | undefined;
}

export const REQUEST_COLUMNS =
  "id, time, method, path, operation, status, outcome, key, route, service, engine, model, stream, attempts, continued, " +
  "duration, queued, first_token, prompt_tokens, completion_tokens, cached_tokens, bytes_in, bytes_out, error";

/** A row as the database gives it. */
export function requestOf(row: Readonly<Record<string, unknown>>): RequestRow {
  const text = (column: string): string => String(row[column]);
  const figure = (column: string): number => Number(row[column]);
  return {
    id: text("id"),
    started: figure("time"),
    method: text("method"),
    path: text("path"),
    operation: text("operation"),
    status: figure("status"),
    outcome: text("outcome"),
    key: text("key"),
    ...known(
      row,
      { route: "route", service: "service", engine: "engine", model: "model", error: "error" },
      String,
    ),
    stream: row["stream"] === 1,
    attempts: figure("attempts"),
    continued: figure("continued"),
    duration: figure("duration"),
    queued: figure("queued"),
    ...known(
      row,
      {
        firstToken: "first_token",
        promptTokens: "prompt_tokens",
        completionTokens: "completion_tokens",
        cachedTokens: "cached_tokens",
      },
      Number,
    ),
    bytesIn: figure("bytes_in"),
    bytesOut: figure("bytes_out"),
  };
}

/** Of the columns named, those that hold something. */
function known<K extends string, V>(
  row: Readonly<Record<string, unknown>>,
  columns: Readonly<Record<K, string>>,
  read: (value: unknown) => V,
): Partial<Record<K, V>> {
  const found: Partial<Record<K, V>> = {};
  for (const name in columns) {
    const value = row[columns[name]];
    if (value !== null && value !== undefined) found[name] = read(value);
  }
  return found;
}
