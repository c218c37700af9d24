import type { RequestOutcome, RequestRecord } from "../telemetry/request-record.ts";
import { CLIENT_GONE, serverTiming } from "../telemetry/index.ts";
import { present } from "../core/index.ts";
import type { ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { Client } from "./client.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { answerHeaders } from "./forwarded-headers.ts";
import type { OpenRequest } from "./open-exchanges.ts";
import type { Outflow } from "./outflow.ts";
import type { Ask } from "./ask.ts";
import { servedBy } from "./served-by.ts";
import type { Target } from "./targets.ts";
import type { Try } from "./try.ts";
import type { Usage } from "./usage.ts";
import type { WireError } from "./wire-error.ts";

/** Bytes of a request that make a token, for what has to be guessed: English has about four. */
const BYTES_A_TOKEN = 4;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

type TrySpan = NonNullable<RequestRecord["tries"]>[number];

/** Writes down what happens to one request: heads, events, counts, and at its end the record and the books. */
export class Report {
  readonly promptEstimate: number;
  service = "";
  attempts = 0;
  errorCode: string | undefined;
  readonly #shared: ExchangeShared;
  readonly #client: Client;
  readonly #ask: Ask;
  readonly #target: Target;
  readonly #started = Date.now();
  readonly #began: number;
  readonly #spans: TrySpan[] = [];
  readonly #sentBefore: number;
  #engine = "";
  #status = 0;
  #queued = 0;
  #continued = 0;
  #firstToken: number | undefined;
  #lastToken = 0;
  /** Times that content went out: at least so many tokens. */
  #parts = 0;

  /** `began` by `performance.now()`. */
  constructor(shared: ExchangeShared, client: Client, ask: Ask, target: Target, began: number) {
    this.#began = began;
    this.#shared = shared;
    this.#client = client;
    this.#ask = ask;
    this.#target = target;
    this.promptEstimate = Math.ceil(ask.bytes.length / BYTES_A_TOKEN);
    this.#sentBefore = client.bytesSent();
  }

  get createdSeconds(): number {
    return Math.floor(this.#started / 1000);
  }

  /** Whose answer or failure the client gets, as far as is known: of two tries at once the last to begin may be the wrong one. */
  by({ service, engine }: Try): void {
    this.service = service;
    this.#engine = engine;
  }

  /** A try began at a service. */
  began(one: Try): void {
    this.by(one);
    this.attempts++;
    one.traffic.attempts++;
    one.traffic.inFlight++;
  }

  /** A try ended, with the failure or without. */
  ended({ service, began, traffic }: Try, failure: AttemptFailure | undefined): void {
    traffic.inFlight--;
    const offset = this.#started - this.#began;
    const span = { service, began: offset + began, ended: offset + performance.now() };
    this.#spans.push(failure === undefined ? span : { ...span, failure: failure.kind });
  }

  /** A part of the content goes to the client. */
  said(service: string, now: number): void {
    this.#parts++;
    if (this.#firstToken === undefined) this.#firstToken = now - this.#began;
    else this.#shared.meter.interToken(service, now - this.#lastToken);
    this.#lastToken = now;
  }

  waited(time: number): void {
    this.#queued += time;
  }

  answered(status: number): void {
    this.#status = status;
  }

  /** Flat headers of an answer; `own` when its body is Omni's own making. */
  head(received: ReceivedHeaders, own: boolean): string[] {
    const { caller, answerHeaders: ours } = this.#client;
    const now = performance.now() - this.#began;
    const head = answerHeaders(received, own);
    for (const text of ours) head.push(text);
    for (const text of this.servedBy()) head.push(text);
    for (const text of this.#shared.keys.limitHeaders(caller)) head.push(text);
    const times = { queued: this.#queued, route: this.#target.route, engine: now - this.#queued };
    head.push("server-timing", serverTiming(times));
    return head;
  }

  waitingHead(): string[] {
    return [...this.#client.answerHeaders, ...this.servedBy()];
  }

  /** The request as it stands, where it is at `service` now. */
  open(service: string | undefined): OpenRequest {
    const { id, caller } = this.#client;
    return {
      id,
      started: this.#started,
      operation: this.#ask.operation,
      key: caller.key,
      ...present({ route: this.#target.route, service, firstToken: this.#firstToken }),
      stream: this.#ask.stream,
      attempts: this.attempts,
    };
  }

  servedBy(): readonly string[] {
    return servedBy(this.#target, this.service, this.#engine, this.attempts);
  }

  retried(service: string, failure: AttemptFailure): void {
    this.#shared.traffic.of(service).retried++;
    this.#event(
      "request.retried",
      "warning",
      service,
      `is tried again, try ${this.attempts} failed: ${failure.message}`,
      failure,
    );
  }

  failed(service: string, failure: AttemptFailure): void {
    this.#event("request.failed", "error", service, `failed: ${failure.message}`, failure);
  }

  cut(service: string, failure: AttemptFailure): void {
    this.#shared.traffic.of(service).cut++;
    this.#event(
      "request.cut",
      "warning",
      service,
      `was cut after a part of the answer: ${failure.message}`,
      failure,
    );
  }

  /** Another engine goes on with the answer, and the client reads it. */
  continued(from: string, service: string, characters: number): void {
    this.#continued++;
    this.#shared.traffic.of(service).continued++;
    this.#shared.events.record({
      kind: "request.continued",
      severity: "info",
      service,
      message: `Request ${this.#client.id} on "${this.#target.route}" goes on at service "${service}" behind ${characters} characters that "${from}" had said`,
      data: { request: this.#client.id, route: this.#target.route, from, characters },
    });
  }

  refused({ status, code }: WireError): void {
    if (this.#status === 0) this.#status = status;
    this.errorCode = code;
  }

  /** The end: counts, books and the record. Gives the tokens that the request took, for the limits of its key. */
  close(outcome: RequestOutcome, told: Usage | undefined, outflow: Outflow | undefined): number {
    const usage = told ?? this.#guessed(outflow);
    const tokens = usage === undefined ? 0 : usage.promptTokens + usage.completionTokens;
    if (usage !== undefined) this.#book(usage);
    this.#shared.meter.finished(this.#record(outcome, usage));
    return tokens;
  }

  #book(usage: Usage): void {
    const { traffic, usage: book } = this.#shared;
    traffic.count(this.service, usage);
    book.record({
      key: this.#client.caller.key,
      model: this.#target.route,
      service: this.service,
      ...usage,
    });
  }

  /** An answer that was not read to its end has no count of the engine: what was said is counted. */
  #guessed(outflow: Outflow | undefined): Usage | undefined {
    if (outflow === undefined) return undefined;
    // Where nothing is remembered, or it was not understood, the count is too low rather than none.
    const completionTokens = outflow.said?.read()?.deltas ?? this.#parts;
    return { promptTokens: this.promptEstimate, completionTokens };
  }

  #record(outcome: RequestOutcome, usage: Usage | undefined): RequestRecord {
    const { id, caller, method, headers } = this.#client;
    const trace = headers["traceparent"];
    const record: Writable<RequestRecord> = {
      id,
      started: this.#started,
      method,
      path: this.#ask.path,
      operation: this.#ask.operation,
      status: this.#status === 0 ? CLIENT_GONE : this.#status,
      outcome,
      key: caller.key,
      route: this.#target.route,
      stream: this.#ask.stream,
      attempts: this.attempts,
      continued: this.#continued,
      duration: performance.now() - this.#began,
      queued: this.#queued,
      bytesIn: this.#ask.bytes.length,
      bytesOut: this.#client.bytesSent() - this.#sentBefore,
      tries: this.#spans,
    };
    if (this.service !== "") {
      record.service = this.service;
      record.engine = this.#engine;
    }
    if (this.#firstToken !== undefined) record.firstToken = this.#firstToken;
    if (usage !== undefined) {
      record.promptTokens = usage.promptTokens;
      record.completionTokens = usage.completionTokens;
      if (usage.cachedTokens !== undefined) record.cachedTokens = usage.cachedTokens;
    }
    if (this.errorCode !== undefined) record.error = this.errorCode;
    if (typeof trace === "string") record.traceparent = trace;
    return record;
  }

  #event(
    kind: string,
    severity: "warning" | "error",
    service: string,
    what: string,
    failure: AttemptFailure,
  ): void {
    const { id } = this.#client;
    const { route } = this.#target;
    this.#shared.events.record({
      severity,
      kind,
      service,
      message: `Request ${id} on "${route}" at service "${service}" ${what}`,
      data: { request: id, route, attempt: this.attempts, reason: failure.kind },
    });
  }
}
