import type { ServerResponse } from "node:http";

import type { EventLog } from "../core/index.ts";
import { messageOf } from "../core/index.ts";
import { pathAt } from "../core/index.ts";
import type { Backends, Lease } from "../supervisor/backends.ts";
import type { AttemptOwner, ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import { failureError, isRetryable } from "./attempt-failure.ts";
import { Attempt } from "./attempt.ts";
import type { Call } from "./call.ts";
import { answerHeaders, headerSafe, requestHeaders } from "./forwarded-headers.ts";
import type { GatewayLimits } from "./limits.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { RoutedBody } from "./routed-body.ts";
import { bodyFor } from "./routed-body.ts";
import { candidatesFor } from "./candidates.ts";
import { firstReady, unavailableError } from "./service-wait.ts";
import type { Target } from "./targets.ts";
import type { Traffic } from "./traffic.ts";
import type { UpstreamPools } from "./upstream-pools.ts";
import type { Usage } from "./usage.ts";
import type { WireError } from "./wire-error.ts";
import { errorEvent, sendError } from "./wire-error.ts";
import { WaitingRoom, waitingLine } from "./waiting-room.ts";
import { waitWanted } from "./wait-wanted.ts";

/** What all requests of a gateway share. */
export interface ExchangeShared {
  readonly backends: Backends;
  readonly events: EventLog;
  readonly limits: GatewayLimits;
  readonly pools: UpstreamPools;
  readonly budget: RetryBudget;
  readonly traffic: Traffic;
  /** The requests in flight. */
  readonly open: Set<Exchange>;
}

const FIRST_BACKOFF = 100;

/** One proxied request from its target to its answer, over as many tries as it takes and the limits allow. */
export class Exchange implements AttemptOwner {
  readonly limits: GatewayLimits;
  service = "";
  readonly #shared: ExchangeShared;
  readonly #call: Call;
  readonly #res: ServerResponse;
  readonly #body: RoutedBody;
  readonly #target: Target;
  readonly #started = performance.now();
  #attempt: Attempt | undefined;
  #lease: Lease | undefined;
  #attempts = 0;
  /** Services whose last try failed, until the next wait. */
  readonly #failed = new Set<string>();
  #waiting: AbortController | undefined;
  #waited = 0;
  #over = false;

  constructor(shared: ExchangeShared, call: Call, body: RoutedBody, target: Target) {
    this.#shared = shared;
    this.limits = shared.limits;
    this.#call = call;
    this.#res = call.res;
    this.#body = body;
    this.#target = target;
  }

  start(): void {
    if (this.#res.destroyed) return;
    this.#shared.open.add(this);
    this.#shared.budget.earn();
    this.#res.once("close", () => this.#clientGone());
    this.#next();
  }

  /** Ends the request because the node stops: a stream with an error event, anything else with 503. */
  stop(): void {
    const failure: AttemptFailure = { kind: "stopping", message: "the node is stopping" };
    this.#waiting?.abort();
    if (this.#attempt !== undefined) this.#attempt.end(failure);
    else if (!this.#over) this.#refuse(failureError(failure, this.service, this.#attempts));
  }

  head(received: ReceivedHeaders): string[] {
    const head = answerHeaders(received);
    head.push(...this.#call.headers, ...this.#servedBy());
    return head;
  }

  finished(usage: Usage | undefined): void {
    this.#shared.traffic.count(this.service, usage);
    this.#close();
  }

  cut(failure: AttemptFailure): void {
    this.#shared.traffic.of(this.service).cut++;
    if (failure.kind !== "stopping") this.#shared.backends.reportBroken(this.service, failure.message);
    this.#record("request.cut", `was cut after a part of the answer: ${failure.message}`, failure);
    this.#close();
  }

  broken(failure: AttemptFailure): void {
    const { backends, budget, traffic } = this.#shared;
    this.#leaveService();
    if (failure.kind === "faulty") backends.reportWrong?.(this.service, failure.message);
    else if (failure.kind !== "stopping" && failure.kind !== "internal") {
      backends.reportBroken(this.service, failure.message);
    }
    const inBounds = this.#attempts < this.limits.attempts && this.#left(this.limits.retryTime) > 0;
    // The fault may lie in the request: who else could answer is asked, the same engine is not.
    const worthIt = failure.kind === "faulty" ? this.#hasOther() : isRetryable(failure);
    if (worthIt && inBounds && budget.take(performance.now())) {
      traffic.of(this.service).retried++;
      this.#failed.add(this.service);
      const tries = `try ${this.#attempts} of at most ${this.limits.attempts}`;
      this.#record("request.retried", `is tried again, ${tries} failed: ${failure.message}`, failure);
      this.#next();
      return;
    }
    this.#record("request.failed", `failed: ${failure.message}`, failure);
    this.#finally(failure);
  }

  #finally(failure: AttemptFailure): void {
    const view = this.#shared.backends.services().find((s) => s.name === this.service);
    const asIs = failure.kind === "faulty" || (failure.kind === "unready" && view?.state === "ready");
    if (asIs && failure.passOn !== undefined) {
      failure.passOn();
    } else if (failure.kind === "unready" || (failure.kind === "connect" && view?.state !== "ready")) {
      this.#refuse(unavailableError(this.#shared.backends, this.#target));
    } else this.#refuse(failureError(failure, this.service, this.#attempts));
  }

  #next(): void {
    const { backends } = this.#shared;
    for (const service of this.#candidates()) {
      const lease = this.#failed.has(service) ? undefined : backends.acquire(service);
      if (lease === undefined) continue;
      this.#lease = lease;
      this.service = service;
      const { address } = lease;
      this.#attempts++;
      this.#attempt = new Attempt(this, this.#res);
      const traffic = this.#shared.traffic.of(service);
      traffic.attempts++;
      traffic.inFlight++;
      const { req, id, path } = this.#call;
      this.#shared.pools.for(service, address).dispatch(
        {
          path: pathAt(address, path),
          method: "POST",
          headers: requestHeaders(req.headers, id, address),
          body: bodyFor(this.#body, lease.model ?? service),
        },
        this.#attempt,
      );
      return;
    }
    this.#wait().catch((thrown: unknown) => {
      this.broken({ kind: "internal", message: messageOf(thrown) });
    });
  }

  /** Nothing can be tried now: waits for the first service of the target that is ready again. */
  async #wait(): Promise<void> {
    const { backends } = this.#shared;
    const waiting = new AbortController();
    this.#waiting = waiting;
    // Without a pause, a service that breaks every connection would be asked three times within a millisecond.
    if (this.#waited > 0 || this.#failed.size > 0) {
      await pause(FIRST_BACKOFF * 2 ** Math.min(5, this.#waited), waiting.signal);
    }
    this.#waited++;
    this.#failed.clear();
    const wanted = waitWanted(this.#call.req.headers) ?? this.limits.loadingWait;
    const left = Math.min(this.#left(wanted), this.#left(this.limits.retryTime));
    const services = this.#candidates();
    // Who does not want to wait wants it loaded all the same, for the next time.
    if (left <= 0) backends.demand(services)();
    const ready = left > 0 && (await this.#waitFor(services, left, waiting));
    if (this.#over || waiting.signal.aborted) return;
    this.#waiting = undefined;
    if (ready) this.#next();
    else this.#refuse(unavailableError(backends, this.#target));
  }

  /** Waits for the first of the services that is ready; that a request waits is what loads one that is not. */
  async #waitFor(services: readonly string[], time: number, waiting: AbortController): Promise<boolean> {
    const { backends } = this.#shared;
    const withdraw = backends.demand(services);
    const room = this.#body.stream
      ? new WaitingRoom(
          this.#res,
          this.limits.silentWait,
          () => [...this.#call.headers, ...this.#servedBy()],
          () => waitingLine(backends, services),
        )
      : undefined;
    try {
      return await firstReady(backends, services, time, waiting);
    } finally {
      room?.leave();
      withdraw();
    }
  }

  /** Another service of the target could answer at once. */
  #hasOther(): boolean {
    const { backends } = this.#shared;
    return this.#candidates().some(
      (name) => name !== this.service && !this.#failed.has(name) && backends.address(name) !== undefined,
    );
  }

  /** The services that may answer now, in order, those that have stepped down replaced by who stands in for them. */
  #candidates(): readonly string[] {
    return candidatesFor(this.#shared.backends, this.#target.services, this.#body.bytes.length);
  }

  /** Milliseconds left of a limit that counts from the start of the request. */
  #left(limit: number): number {
    return this.#started + limit - performance.now();
  }

  #refuse(error: WireError): void {
    if (!this.#res.destroyed) {
      // The client of a stream that waited for its model has had its head already.
      if (this.#res.headersSent) this.#res.end(errorEvent(error));
      else sendError(this.#call, error, this.#servedBy());
    }
    this.#close();
  }

  #servedBy(): string[] {
    const route = ["x-omni-attempts", String(this.#attempts), "x-omni-route", headerSafe(this.#target.route)];
    const view = this.#shared.backends.services().find((s) => s.name === this.service);
    if (view === undefined) return route;
    return ["x-omni-service", headerSafe(view.name), "x-omni-engine", headerSafe(view.engine), ...route];
  }

  #clientGone(): void {
    if (this.#over) return;
    this.#waiting?.abort();
    this.#attempt?.abandon();
    this.#close();
  }

  #leaveService(): void {
    if (this.#attempt === undefined) return;
    this.#attempt = undefined;
    this.#lease?.release();
    this.#lease = undefined;
    this.#shared.traffic.of(this.service).inFlight--;
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#leaveService();
    this.#shared.open.delete(this);
  }

  #record(kind: string, what: string, failure: AttemptFailure): void {
    this.#shared.events.record({
      severity: kind === "request.failed" ? "error" : "warning",
      kind,
      service: this.service,
      message: `Request ${this.#call.id} on "${this.#target.route}" at service "${this.service}" ${what}`,
      data: {
        request: this.#call.id,
        route: this.#target.route,
        attempt: this.#attempts,
        reason: failure.kind,
      },
    });
  }
}

/** Resolves after `time` milliseconds or as soon as `signal` aborts. */
function pause(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, time);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
