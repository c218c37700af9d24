import { messageOf } from "../core/index.ts";
import { DialectError } from "../dialects/index.ts";
import type { Place, Wanted } from "./admission/admission.ts";
import type { AttemptFailure } from "./attempt-failure.ts";
import type { Client } from "./client.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { requestHeaders } from "./forwarded-headers.ts";
import { Hedge } from "./hedge.ts";
import { nobodySuits } from "./nobody.ts";
import type { Resumption } from "./prepared.ts";
import { countSaid, prepare, prepareScoring } from "./prepared.ts";
import type { Scoring } from "./passthrough/reranking.ts";
import type { Report } from "./report.ts";
import type { Ask } from "./ask.ts";
import type { RoutePolicy } from "./route-policy.ts";
import { hedgeAfter } from "./routing/hedge-after.ts";
import type { Choice } from "./routing/router.ts";
import type { SecondChance } from "./second-chance.ts";
import { leased, seek } from "./seek.ts";
import { whenThere } from "./when-there.ts";
import type { Target } from "./targets.ts";
import type { Granted, TryParent } from "./try.ts";
import { Try } from "./try.ts";
import { Wait } from "./wait.ts";
import type { WireError } from "./wire-error.ts";
import { badRequest } from "./wire-error.ts";

/** What is the same for all tries of one request. */
export interface Pursued {
  readonly shared: ExchangeShared;
  readonly client: Client;
  readonly ask: Ask;
  readonly target: Target;
  readonly policy: RoutePolicy;
  readonly report: Report;
  readonly chance: SecondChance;
  readonly scoring: Scoring | undefined;
}

interface PursuitParent extends TryParent {
  /** Nobody takes the request, now or within its time. */
  nobody(error: WireError): void;
}

/** Looks for a service that takes a request, waits for one where it must, and sends the request there. */
export class Pursuit {
  choice: Choice = { services: [], skipped: [] };
  /** Set once an answer was cut and is to go on. */
  resumption: Resumption | undefined;
  /** Under way: one, or two while a slow one is hedged. */
  readonly tries: Try[] = [];
  readonly #pursued: Pursued;
  readonly #parent: PursuitParent;
  #hedge: Hedge | undefined;
  #wait: Wait | undefined;
  #waits = 0;
  #over = false;

  constructor(pursued: Pursued, parent: PursuitParent) {
    this.#pursued = pursued;
    this.#parent = parent;
  }

  /** Chooses afresh, because what can take a request changes with time, and goes on with the first that does. */
  go(): void {
    const { shared, target, ask, client } = this.#pursued;
    if (this.#over) return;
    try {
      const choice = shared.router.choose(target, ask, client.caller);
      if (choice instanceof Promise) {
        choice.then((made) => this.#chosen(made)).catch((thrown: unknown) => this.#fault(thrown));
      } else this.#chosen(choice);
    } catch (thrown) {
      this.#fault(thrown);
    }
  }

  #chosen(choice: Choice): void {
    this.choice = choice;
    if (this.#over) return;
    if (choice.services.length === 0) this.#parent.nobody(nobodySuits(this.#pursued.target, choice));
    else this.#next(false);
  }

  /** One try has the client's ear: the others are not wanted any more. */
  keepOnly(one: Try): void {
    this.#hedge?.cancel();
    if (this.tries.length === 1 && this.tries[0] === one) return;
    for (const other of this.tries.filter((each) => each !== one)) this.#drop(other);
  }

  /** It has ended; false where that was known already. */
  forget(one: Try): boolean {
    const at = this.tries.indexOf(one);
    if (at < 0) return false;
    this.tries.splice(at, 1);
    return true;
  }

  #drop(one: Try): void {
    this.forget(one);
    one.abandon();
    this.#pursued.report.ended(one, undefined);
  }

  /** Ends what is under way as if the engines had failed that way. */
  stop(failure: AttemptFailure): void {
    const asked = [...this.tries];
    this.#end();
    for (const one of asked) one.stop(failure);
  }

  /** Ends what is under way without a word. */
  abandon(): void {
    this.#end();
    for (let one = this.tries[0]; one !== undefined; one = this.tries[0]) this.#drop(one);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#hedge?.cancel();
    if (this.#wait !== undefined) this.#pursued.report.waited(this.#wait.time);
    this.#wait?.abort();
  }

  /** Sends the request to the first service that takes it, or waits for one; a hedge does not wait. */
  #next(hedging: boolean): void {
    const { shared, client, chance } = this.#pursued;
    for (;;) {
      const passed = hedging ? new Set([...chance.passed, ...this.#asked()]) : chance.passed;
      const { granted, full } = seek(shared, this.choice, passed, client.who);
      if (granted === undefined) {
        if (!hedging) this.#waitFor(full);
        return;
      }
      if (this.#take(granted)) return;
      if (hedging) return;
    }
  }

  #asked(): string[] {
    return this.tries.map((one) => one.service);
  }

  #waitFor(full: readonly Wanted[]): void {
    const { report, ask } = this.#pursued;
    const wait = new Wait(this.#pursued, {
      choice: this.choice,
      full,
      stream: ask.stream,
      waits: this.#waits++,
      head: () => report.waitingHead(),
    });
    this.#wait = wait;
    whenThere(
      () => wait.result,
      (result) => {
        // Of one that was ended this is known already.
        if (!this.#over) report.waited(wait.time);
        this.#waited(result);
      },
      (thrown) => this.#fault(thrown),
    );
  }

  #waited(result: Place | WireError | "ready" | undefined): void {
    this.#wait = undefined;
    if (this.#over || result === undefined) {
      if (typeof result === "object" && "leave" in result) result.leave();
    } else if (result === "ready") this.go();
    else if ("leave" in result) {
      const granted = leased(this.#pursued.shared.backends, result);
      if (granted === undefined || !this.#take(granted)) this.go();
    } else this.#parent.nobody(result);
  }

  /** False when this service cannot be asked for this request; it is passed over then. */
  #take(granted: Granted): boolean {
    const { resumption } = this;
    if (resumption === undefined) return this.#send(granted, undefined);
    // What was said is part of the new engine's prompt: limits and usage hold to the token when it is counted there.
    whenThere(
      () => countSaid(this.#pursued.shared, granted, resumption),
      (tokens) => {
        if (this.#over) giveBack(granted);
        else if (!this.#send(granted, tokens)) this.#next(false);
      },
      (thrown) => {
        giveBack(granted);
        this.#fault(thrown);
      },
    );
    return true;
  }

  #send(granted: Granted, prefilledTokens: number | undefined): boolean {
    const { ask, chance, shared, scoring } = this.#pursued;
    try {
      const prepared =
        scoring === undefined
          ? prepare(ask, granted, this.#resumed(prefilledTokens), shared.limits.eventBytes)
          : prepareScoring(scoring, granted);
      if ("unservable" in prepared) {
        giveBack(granted);
        chance.cannot(granted.service, prepared.unservable);
        return false;
      }
      this.#dispatch(granted, prepared);
    } catch (thrown) {
      giveBack(granted);
      if (thrown instanceof DialectError) {
        this.#parent.nobody(badRequest("invalid_request", thrown.message, thrown.param));
      } else this.#fault(thrown);
    }
    return true;
  }

  #resumed(prefilledTokens: number | undefined): Resumption | undefined {
    return this.resumption === undefined ? undefined : { ...this.resumption, prefilledTokens };
  }

  #dispatch(granted: Granted, prepared: Exclude<ReturnType<typeof prepare>, { unservable: string }>): void {
    const { shared, ask, client, policy, report, chance } = this.#pursued;
    const { service, lease } = granted;
    const told = shared.router.began(service, ask);
    const { firstByte, idle } = policy;
    const one = new Try(this.#parent, {
      granted,
      request: prepared.request,
      inflow: prepared.inflow,
      firstByte,
      idle,
      patience: shared.patience,
      told,
      traffic: shared.traffic.of(service),
      resumes: this.resumption !== undefined,
    });
    chance.attempts++;
    this.tries.push(one);
    report.began(one);
    const received = client.headers["traceparent"];
    const trace = shared.meter.traceparent(client.id, typeof received === "string" ? received : undefined);
    one.dispatch(
      shared.pools,
      requestHeaders(client.headers, client.id, lease.address, trace, ask.contentType),
    );
    const { tokens } = this.choice;
    if (this.resumption !== undefined || tokens === undefined || this.#hedge !== undefined) return;
    const after = hedgeAfter(this.#pursued.target.rules, tokens);
    if (after === undefined || this.#over || !this.tries.includes(one)) return;
    // Beside a try that is under way: where there is none, the request already looks for one.
    this.#hedge = new Hedge(() => {
      if (this.tries.length > 0) this.#next(true);
    }, after);
  }

  #fault(thrown: unknown): void {
    this.#parent.failed({ kind: "internal", message: messageOf(thrown) });
  }
}

function giveBack({ lease, place }: Granted): void {
  lease.release();
  place.leave();
}
