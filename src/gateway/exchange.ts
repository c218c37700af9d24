import { messageOf } from "../core/index.ts";
import type { JsonObject } from "../dialects/index.ts";
import type { Admitted, KeyRefusal } from "../keys/index.ts";
import type { RequestOutcome } from "../telemetry/index.ts";
import type { ReceivedHeaders } from "./answer.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import { cutError, failureError } from "./attempt-failure.ts";
import type { Client } from "./client.ts";
import { continuedComment } from "./continuation/index.ts";
import { asEvent, delivered } from "./delivered.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import type { OpenExchange, OpenRequest } from "./open-exchanges.ts";
import type { GatewayLimits } from "./limits.ts";
import { limitError, refusedBy } from "./nobody.ts";
import { Outflow } from "./outflow.ts";
import type { Outlet } from "./outlet.ts";
import type { Impatient } from "./patience.ts";
import type { Scoring } from "./passthrough/reranking.ts";
import type { Pursued } from "./pursuit.ts";
import { Pursuit } from "./pursuit.ts";
import { Report } from "./report.ts";
import type { Ask } from "./ask.ts";
import type { RoutePolicy } from "./route-policy.ts";
import { policyOf } from "./route-policy.ts";
import { SecondChance } from "./second-chance.ts";
import type { Target } from "./targets.ts";
import type { Try, TryParent } from "./try.ts";
import type { Usage } from "./usage.ts";
import type { WireError } from "./wire-error.ts";
import { sendErrorTo, streamError } from "./wire-error.ts";

export interface ExchangeOptions {
  /** For requests to order or score documents: how each engine is asked. */
  readonly scoring?: Scoring;
  /** Called with the answer as the client got it, once it is whole. Only answers that had to be read are told. */
  readonly remember?: (answer: JsonObject) => void;
}

/** What is said of a body that was written anew, whatever the engine said of its own: plain JSON. */
const OWN_JSON = { "content-type": "application/json", "content-encoding": undefined };

const NO_OPTIONS: ExchangeOptions = {};

/** One request from its target to its answer, over as many tries as it takes and the limits allow. */
export class Exchange implements TryParent, OpenExchange, Impatient, Pursued {
  readonly shared: ExchangeShared;
  readonly client: Client;
  readonly ask: Ask;
  readonly target: Target;
  readonly policy: RoutePolicy;
  readonly report: Report;
  readonly chance: SecondChance;
  readonly limits: GatewayLimits;
  readonly outlet: Outlet;
  /** When the whole answer has to be there. */
  readonly deadline: number;
  seat = -1;
  openSeat = -1;
  readonly #pursuit: Pursuit;
  readonly #options: ExchangeOptions;
  #admitted: Admitted | undefined;
  /** What the client has of a stream, once it has something. */
  #outflow: Outflow | undefined;
  #over = false;

  constructor(
    shared: ExchangeShared,
    client: Client,
    ask: Ask,
    target: Target,
    options: ExchangeOptions = NO_OPTIONS,
  ) {
    const began = performance.now();
    this.shared = shared;
    this.client = client;
    this.ask = ask;
    this.target = target;
    this.limits = shared.limits;
    this.outlet = client.outlet;
    this.policy = policyOf(target, shared.limits);
    this.deadline = began + this.policy.total;
    this.report = new Report(shared, client, ask, target, began);
    this.chance = new SecondChance(shared, this.policy, began);
    this.#options = options;
    this.#pursuit = new Pursuit(this, this);
  }

  get scoring(): Scoring | undefined {
    return this.#options.scoring;
  }

  start(): void {
    if (this.outlet.destroyed) return;
    const { shared, client, report } = this;
    shared.open.add(this);
    shared.patience.add(this);
    shared.budget.earn();
    this.outlet.once("close", () => this.#clientGone());
    try {
      const verdict = shared.keys.admit(client.caller, report.promptEstimate);
      if (verdict instanceof Promise) {
        verdict.then((told) => this.#enter(told)).catch((thrown: unknown) => this.#fault(thrown));
      } else this.#enter(verdict);
    } catch (thrown) {
      this.#fault(thrown);
    }
  }

  /** Ends the request because the node stops: a stream with an error event, anything else with 503. */
  stop(): void {
    this.failed({ kind: "stopping", message: "the node is stopping" });
  }

  describe(): OpenRequest {
    return this.report.open(this.#pursuit.tries.at(-1)?.service);
  }

  overdue(): void {
    const time = Math.round(this.policy.total / 1000);
    this.failed({ kind: "timeout", message: `the whole answer was not there after ${time} s` });
  }

  /** Ends the whole request from this side. */
  failed(failure: AttemptFailure): void {
    const { report, chance } = this;
    chance.close();
    if (!this.#over) this.#pursuit.stop(failure);
    // Mostly the tries that were stopped have told by now.
    if (this.#over) return;
    const began = this.#outflow !== undefined && this.outlet.headersSent;
    if (!began) this.#refuse(failureError(failure, report.service, report.attempts));
    else this.#endCut(failure, report.service);
  }

  nobody(error: WireError): void {
    const { resumption } = this.#pursuit;
    if (resumption === undefined) this.#refuse(error);
    else this.#endCut(resumption.failure, resumption.service);
  }

  outflow({ request }: Try): Outflow {
    if (this.#outflow !== undefined) return this.#outflow;
    const { ask, policy, report } = this;
    return new Outflow({
      lane: request.dialect,
      translator: request.translation?.stream(ask.json(), { created: report.createdSeconds }),
      laneBody: () => request.translation?.request(ask.json()) ?? ask.json(),
      usageIsOurs: request.usageIsOurs,
      remembers: policy.continues,
      eventBytes: this.limits.eventBytes,
      ...this.#options,
    });
  }

  head(of: Try, received: ReceivedHeaders, outflow: Outflow | undefined): string[] {
    const { report } = this;
    this.#outflow ??= outflow;
    this.#pursuit.keepOnly(of);
    report.by(of);
    report.answered(200);
    return report.head(received, of.request.translation !== undefined);
  }

  said(of: Try, now: number): void {
    const { report } = this;
    const { resumption } = this.#pursuit;
    report.said(of.service, now);
    if (!of.resumes || resumption === undefined) return;
    this.#pursuit.resumption = undefined;
    const characters = resumption.said.text.length;
    this.#outflow?.mark(continuedComment(of.service, characters));
    report.continued(resumption.service, of.service, characters);
  }

  deliver(of: Try, status: number, received: ReceivedHeaders, body: Buffer): void {
    const { client, ask, report } = this;
    const answer = delivered(client, ask, of.request, status, body, report.createdSeconds);
    if ("unreadable" in answer) {
      this.broken(of, { kind: "garbage", message: answer.unreadable });
      return;
    }
    const head = this.head(of, answer.body === body ? received : { ...received, ...OWN_JSON }, undefined);
    report.answered(status);
    // First: who has the answer may name it to another process of this gateway at once.
    if (answer.answer !== undefined) this.#options.remember?.(answer.answer);
    if (this.outlet.headersSent) this.outlet.end(asEvent(answer, client));
    else {
      head.push("content-length", String(answer.body.length));
      this.outlet.writeHead(status, head);
      this.outlet.end(answer.body);
    }
    this.finished(of, answer.usage());
  }

  finished(of: Try, usage: Usage | undefined): void {
    this.#ended(of, undefined);
    this.#close("answered", usage);
  }

  cut(of: Try, failure: AttemptFailure): void {
    const { report, chance } = this;
    this.#ended(of, failure);
    chance.blame(of.service, failure);
    report.cut(of.service, failure);
    const outflow = this.#outflow;
    const said = outflow === undefined ? undefined : chance.toResume(outflow, failure);
    if (said === undefined || outflow?.lane === undefined || this.#over) {
      this.#endCut(failure, of.service);
      return;
    }
    const { lane } = outflow;
    this.#pursuit.resumption = {
      service: of.service,
      failure,
      lane,
      body: outflow.laneBody(),
      said,
      heals: true,
    };
    chance.passOver(of.service);
    this.#pursuit.go();
  }

  broken(of: Try, failure: AttemptFailure): void {
    const { shared, target, report, chance } = this;
    this.#ended(of, failure);
    chance.blame(of.service, failure);
    chance.passOver(of.service);
    // The other half of a hedge may still answer.
    if (this.#pursuit.tries.length > 0) return;
    const { resumption } = this.#pursuit;
    if (resumption !== undefined) resumption.heals = false;
    if (chance.toRetry(failure, this.#pursuit.choice)) {
      report.retried(of.service, failure);
      this.#pursuit.go();
      return;
    }
    report.failed(of.service, failure);
    if (resumption !== undefined) this.#endCut(resumption.failure, resumption.service);
    else if (chance.passesOn(failure, of.service) && failure.passOn !== undefined) failure.passOn();
    else this.#refuse(refusedBy(shared.backends, target, of.service, failure, report.attempts));
  }

  #enter(verdict: Admitted | KeyRefusal): void {
    if ("status" in verdict) this.#refuse(limitError(verdict));
    else if (this.#over) verdict.settle(0);
    else {
      this.#admitted = verdict;
      this.#pursuit.go();
    }
  }

  #fault(thrown: unknown): void {
    this.failed({ kind: "internal", message: messageOf(thrown) });
  }

  #ended(of: Try, failure: AttemptFailure | undefined): void {
    this.report.by(of);
    if (this.#pursuit.forget(of)) this.report.ended(of, failure);
  }

  /** The client has a part and nobody goes on: it is told, so that it takes the part for no whole. */
  #endCut(failure: AttemptFailure, service: string): void {
    const { client, report } = this;
    const error = cutError(failure, service);
    if (!this.outlet.destroyed) {
      if (this.#outflow?.torn === true) this.outlet.write("\n\n");
      const last = this.#outflow?.error(error) ?? streamError(client.family, error, client.id);
      this.outlet.end(last);
    }
    report.refused(error);
    this.#close("cut", undefined);
  }

  #refuse(error: WireError): void {
    const { client, report } = this;
    if (!this.outlet.headersSent) report.answered(error.status);
    if (!this.outlet.destroyed) {
      // The client of a stream that waited for its model has had its head already.
      if (this.outlet.headersSent) this.outlet.end(streamError(client.family, error, client.id));
      else sendErrorTo(client, error, report.servedBy());
    }
    report.refused(error);
    this.#close(report.attempts === 0 ? "refused" : "failed", undefined);
  }

  #clientGone(): void {
    if (this.#over) return;
    this.#pursuit.abandon();
    this.#close("abandoned", undefined);
  }

  #close(outcome: RequestOutcome, usage: Usage | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const { shared, report } = this;
    this.#pursuit.abandon();
    shared.patience.remove(this);
    shared.open.delete(this);
    const tokens = report.close(outcome, usage, this.#outflow);
    this.#admitted?.settle(tokens);
  }
}
