import type { JsonObject } from "../dialects/index.ts";
import type { EngineDialect } from "../engines/index.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { Said } from "./continuation/continuation.ts";
import { continueWith } from "./continuation/index.ts";
import type { EngineRequest } from "./engine-request.ts";
import { engineRequest, resumingRequest } from "./engine-request.ts";
import { Inflow } from "./inflow.ts";
import type { Ask } from "./ask.ts";
import type { Granted } from "./try.ts";

/** An answer that was cut and is to go on. */
export interface Resumption {
  /** Who had begun it, and how that ended. */
  readonly service: string;
  readonly failure: AttemptFailure;
  readonly lane: EngineDialect;
  /** The client's request in the lane's dialect. */
  readonly body: JsonObject;
  readonly said: Said;
}

interface Prepared {
  readonly request: EngineRequest;
  readonly inflow?: Inflow;
}

/** What the granted service is sent: the request, or the request to go on with what was cut. Throws DialectError. */
export function prepare(
  ask: Ask,
  { service, surface, lease }: Granted,
  resumption: Resumption | undefined,
  eventBytes: number,
): Prepared | { readonly unservable: string } {
  const alias = lease.model ?? service;
  if (resumption === undefined) {
    const request = engineRequest(ask, surface, alias);
    return "unservable" in request ? request : { request };
  }
  const { lane, said, body } = resumption;
  const continuation = continueWith(body, lane, said, surface);
  if ("impossible" in continuation) return { unservable: continuation.impossible };
  const request = resumingRequest(continuation.body, lane, surface, alias);
  if ("unservable" in request) return request;
  const translator = request.translation?.stream(continuation.body);
  return { request, inflow: new Inflow(translator, continuation.joiner, eventBytes) };
}
