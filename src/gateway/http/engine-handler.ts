/** Header values by lower-case name, as node:http and undici give them: a name that came several times has an array. */
export type ReceivedHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Holds the reins of one request to an engine. */
export interface EngineController {
  /** Ends the request at once and cuts its connection; the handler hears of it by `onResponseError`, unless it heard the end. */
  abort(reason: Error): void;
  /** No more of the answer is read until `resume`. */
  pause(): void;
  resume(): void;
}

/** Hears what comes of one request. Shaped like undici's `DispatchHandler`, so that either client can serve it. */
export interface EngineHandler {
  onRequestStart(controller: EngineController): void;
  /** Interim answers (1xx) are not told by Omni's own client. */
  onResponseStart(controller: EngineController, status: number, headers: ReceivedHeaders): void;
  /** The chunk is the handler's: nobody writes into it again. */
  onResponseData(controller: EngineController, chunk: Buffer): void;
  /**
   * Data from `from` to `end` that is overwritten once this returns. False where the handler wants it as a chunk of its own,
   * which `onResponseData` brings then.
   */
  onResponseLent?(bytes: Buffer, from: number, end: number): boolean;
  onResponseEnd(controller: EngineController): void;
  onResponseError(controller: EngineController, error: Error): void;
}

/** One request whose body is there as a whole. */
export interface EngineCall {
  readonly method: "POST";
  /** Path and query. */
  readonly path: string;
  /** Flat name and value pairs, without those of the connection and of framing; values hold no control characters. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Sends requests to one engine. */
export interface EngineDispatcher {
  dispatch(call: EngineCall, handler: EngineHandler): void;
}
