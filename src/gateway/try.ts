import { messageOf, pathAt } from "../core/index.ts";
import type { EngineSurface } from "../engines/index.ts";
import type { Lease } from "../supervisor/backends.ts";
import type { Place } from "./admission/admission.ts";
import type { AttemptOwner, ReceivedHeaders } from "./answer.ts";
import { Attempt } from "./attempt.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { EngineRequest } from "./engine-request.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Inflow } from "./inflow.ts";
import type { Outflow } from "./outflow.ts";
import type { Outlet } from "./outlet.ts";
import type { Impatient, Patience } from "./patience.ts";
import type { TryOutcome } from "./routing/router.ts";
import type { ServiceTraffic } from "./traffic.ts";
import type { UpstreamPools } from "./upstream-pools.ts";
import type { Usage } from "./usage.ts";

/** A service that took a request: all of it is given back when the try ends. */
export interface Granted {
  readonly service: string;
  readonly surface: EngineSurface;
  readonly place: Place;
  readonly lease: Lease;
}

/** What a try tells the exchange it belongs to. */
export interface TryParent {
  readonly limits: GatewayLimits;
  readonly outlet: Outlet;
  outflow(of: Try): Outflow;
  head(of: Try, received: ReceivedHeaders, outflow: Outflow | undefined): string[];
  /** `now` by `performance.now()`. */
  said(of: Try, now: number): void;
  deliver(of: Try, status: number, received: ReceivedHeaders, body: Buffer): void;
  finished(of: Try, usage: Usage | undefined): void;
  broken(of: Try, failure: AttemptFailure): void;
  cut(of: Try, failure: AttemptFailure): void;
  /** Ends the whole request from this side. */
  failed(failure: AttemptFailure): void;
}

interface TryOptions {
  readonly granted: Granted;
  readonly request: EngineRequest;
  /** Where the engine's events are not yet those of the stream. */
  readonly inflow: Inflow | undefined;
  /** It goes on with an answer of which the client has a part. */
  readonly resumes: boolean;
  /** Milliseconds until the first byte, and between two. */
  readonly firstByte: number;
  readonly idle: number;
  readonly patience: Patience;
  /** Tells the router how it ended. */
  readonly told: (outcome: TryOutcome, time: number) => void;
  /** Counts of its service. */
  readonly traffic: ServiceTraffic;
}

/** One try of one request at one service. It holds a place and a lease from its start to its end. */
export class Try implements AttemptOwner, Impatient {
  readonly service: string;
  /** Name of its engine in the spec; empty where that is not known. */
  readonly engine: string;
  readonly surface: EngineSurface;
  readonly request: EngineRequest;
  readonly limits: GatewayLimits;
  readonly outlet: Outlet;
  readonly resumes: boolean;
  readonly traffic: ServiceTraffic;
  readonly began = performance.now();
  deadline: number;
  seat = -1;
  readonly #parent: TryParent;
  readonly #options: TryOptions;
  readonly #attempt: Attempt;
  /** When bytes of the answer came last, by `performance.now()`; 0 before the first. */
  #heardAt = 0;
  #over = false;

  constructor(parent: TryParent, options: TryOptions) {
    this.#parent = parent;
    this.#options = options;
    this.service = options.granted.service;
    this.engine = options.granted.lease.engine ?? "";
    this.surface = options.granted.surface;
    this.request = options.request;
    this.limits = parent.limits;
    this.outlet = parent.outlet;
    this.resumes = options.resumes;
    this.traffic = options.traffic;
    this.deadline = this.began + options.firstByte;
    this.#attempt = new Attempt(this);
  }

  dispatch(pools: UpstreamPools, headers: string[]): void {
    const { granted, patience } = this.#options;
    const { address } = granted.lease;
    patience.add(this);
    pools.engine(this.service, address).dispatch(
      {
        path: pathAt(address, this.request.path),
        method: "POST",
        headers,
        body: this.request.body,
      },
      this.#attempt,
    );
  }

  overdue(): void {
    if (this.#attempt.paused) {
      this.deadline = performance.now() + this.#options.idle;
      return;
    }
    const time = this.#heardAt > 0 ? this.#options.idle : this.#options.firstByte;
    this.stop({ kind: "timeout", message: `it sent nothing for ${Math.round(time / 100) / 10} s` });
  }

  /** Ends it from this side as if the engine had failed that way. */
  stop(failure: AttemptFailure): void {
    this.#attempt.end(failure);
  }

  /** Ends it without a word: its answer is not wanted any more. */
  abandon(): void {
    this.#end("unblamed");
    this.#attempt.abandon();
  }

  outflow(): Outflow {
    return this.#parent.outflow(this);
  }

  inflow(): Inflow | undefined {
    return this.#options.inflow;
  }

  head(received: ReceivedHeaders, outflow?: Outflow): string[] {
    return this.#parent.head(this, received, outflow);
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.deadline = now + this.#options.idle;
  }

  said(): void {
    this.#parent.said(this, this.#heardAt);
  }

  deliver(status: number, received: ReceivedHeaders, body: Buffer): void {
    this.#end("answered");
    this.#parent.deliver(this, status, received, body);
  }

  finished(usage: Usage | undefined): void {
    this.#end("answered");
    this.#parent.finished(this, usage);
  }

  broken(failure: AttemptFailure): void {
    this.#end(blame(failure));
    this.#parent.broken(this, failure);
  }

  cut(failure: AttemptFailure): void {
    this.#end(blame(failure));
    this.#parent.cut(this, failure);
  }

  fault(thrown: unknown): void {
    this.#end("unblamed");
    this.#parent.failed({ kind: "internal", message: messageOf(thrown) });
  }

  #end(outcome: TryOutcome): void {
    if (this.#over) return;
    this.#over = true;
    const { granted, patience, told } = this.#options;
    patience.remove(this);
    granted.lease.release();
    granted.place.leave();
    told(outcome, performance.now() - this.began);
  }
}

/** A node that stops, a fault of the gateway's own and a full engine are not that engine's failure. */
const blame = ({ kind }: AttemptFailure): TryOutcome =>
  kind === "stopping" || kind === "internal" || kind === "busy" ? "unblamed" : "broken";
