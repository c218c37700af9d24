import type { JsonObject, Translation } from "../dialects/index.ts";
import type { EngineDialect } from "../engines/index.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { Said } from "./continuation/continuation.ts";
import { continueWith, prefilledText } from "./continuation/index.ts";
import type { EngineRequest } from "./engine-request.ts";
import { engineRequest, resumingRequest } from "./engine-request.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import type { InflowOptions } from "./inflow.ts";
import { Inflow } from "./inflow.ts";
import { StreamWatch } from "./stream-watch.ts";
import type { Ask } from "./ask.ts";
import type { Scoring } from "./passthrough/reranking.ts";
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
  /** False after an engine did not go on exactly from there: then it is given half words, too. */
  heals: boolean;
  /** Tokens of what the next engine is given of it, where its tokenizer tells. */
  readonly prefilledTokens?: number | undefined;
}

/** Counts what an engine is given of a cut answer; `undefined` where it cannot tell. */
export const countSaid = (
  { countTokens }: Pick<ExchangeShared, "countTokens">,
  { service, surface }: Granted,
  { body, lane, said, heals }: Resumption,
): number | undefined | Promise<number | undefined> =>
  surface.tokenize === undefined
    ? undefined
    : countTokens(service, prefilledText(body, lane, said, surface, { heals }));

interface Prepared {
  readonly request: EngineRequest;
  readonly inflow?: Inflow;
}

/** A request to order or score documents in the shape that the granted service's engine takes. */
export function prepareScoring(
  scoring: Scoring,
  { service, surface, lease }: Granted,
): Prepared | { readonly unservable: string } {
  const turn = scoring.turn(surface.paths);
  if ("unservable" in turn) return turn;
  const body = Buffer.from(JSON.stringify({ ...turn.body, model: lease.model ?? service }));
  return { request: { path: turn.path, body, usageIsOurs: false, reshape: turn.answer } };
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
    if ("unservable" in request) return request;
    const { inward } = request;
    if (inward === undefined || !ask.stream) return { request };
    const inflow = new Inflow({ ...wordsOf(inward, ask.json()), eventBytes });
    return { request, inflow };
  }
  const { lane, said, body, heals, prefilledTokens } = resumption;
  const continuation = continueWith(body, lane, said, surface, { heals, prefilledTokens });
  if ("impossible" in continuation) return { unservable: continuation.impossible };
  const request = resumingRequest(continuation, lane, surface, alias);
  if ("unservable" in request) return request;
  const words = request.inward === undefined ? {} : wordsOf(request.inward, continuation.body);
  return { request, inflow: new Inflow({ ...words, joiner: continuation.joiner, eventBytes }) };
}

/** How an engine's stream is read that speaks other words than the client's stream. Triton's reader knows its end itself. */
const wordsOf = (inward: Translation, body: JsonObject): Pick<InflowOptions, "translator" | "watch"> => ({
  translator: inward.stream(counted(body)),
  watch: inward.to === "completions" ? undefined : new StreamWatch(inward.to === "messages"),
});

/** Usage is known to Omni in any case; whether the client hears of it is decided where it goes out. */
const counted = (body: JsonObject): JsonObject => ({ ...body, stream_options: { include_usage: true } });
