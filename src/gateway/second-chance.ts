import type { AttemptFailure } from "./attempt-failure.ts";
import { isRetryable, needsOther } from "./attempt-failure.ts";
import type { Said } from "./continuation/continuation.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import type { Outflow } from "./outflow.ts";
import type { RoutePolicy } from "./route-policy.ts";
import type { Choice } from "./routing/router.ts";
import { viewOf } from "./seek.ts";

/** An answer that is cut again and again is not worth another engine. */
const MOST_CONTINUATIONS = 8;

const NOBODY: ReadonlySet<string> = new Set();
const NOT_ONE: ReadonlyMap<string, string> = new Map();

/** Whether a request whose try failed gets another one, within the bounds of its route and the budget of all requests. */
export class SecondChance {
  attempts = 0;
  readonly #shared: ExchangeShared;
  readonly #policy: RoutePolicy;
  /** By `performance.now()`. */
  readonly #began: number;
  /** Most requests pass nobody over. */
  #passed: Set<string> | undefined;
  #unable: Map<string, string> | undefined;
  /** Tries before the last part of the answer that reached the client. */
  #before = 0;
  #continuations = 0;
  #closed = false;

  constructor(shared: ExchangeShared, policy: RoutePolicy, began: number) {
    this.#shared = shared;
    this.#policy = policy;
    this.#began = began;
  }

  /** Services that are not asked until the next wait: they failed or cannot do this request. */
  get passed(): ReadonlySet<string> {
    return this.#passed ?? NOBODY;
  }

  /** The request is to end: there is no further try. */
  close(): void {
    this.#closed = true;
  }

  passOver(service: string): void {
    (this.#passed ??= new Set()).add(service);
  }

  /** The service cannot do this request, now or later. */
  cannot(service: string, why: string): void {
    this.passOver(service);
    (this.#unable ??= new Map()).set(service, why);
  }

  /** Services that cannot do this request at all, each with why. */
  get unable(): ReadonlyMap<string, string> {
    return this.#unable ?? NOT_ONE;
  }

  /** After a wait everyone who can is asked again. */
  forgive(): void {
    this.#passed = this.#unable === undefined ? undefined : new Set(this.#unable.keys());
  }

  /** Milliseconds left of a limit that counts from the start of the request. */
  left(limit: number): number {
    return this.#began + limit - performance.now();
  }

  /** Tells the supervisor what was seen of the engine, so that it looks for itself. */
  blame(service: string, { kind, message }: AttemptFailure): void {
    if (kind === "stopping" || kind === "internal" || kind === "busy" || kind === "denied") return;
    if (kind === "faulty") this.#shared.backends.reportWrong?.(service, message);
    else this.#shared.backends.reportBroken(service, message);
  }

  /** Whether a try that failed before the client saw a byte of it is followed by another. */
  toRetry(failure: AttemptFailure, choice: Choice): boolean {
    if (this.#closed || this.attempts - this.#before >= this.#policy.attempts) return false;
    if (this.left(this.#shared.limits.retryTime) <= 0) return false;
    // The fault may lie in the request: who else could answer is asked, the same engine is not.
    const worthIt = needsOther(failure) ? this.#hasOther(choice) : isRetryable(failure);
    return worthIt && this.#shared.budget.take(performance.now());
  }

  /** What was said, when an answer that was cut may go on elsewhere. */
  toResume(outflow: Outflow, failure: AttemptFailure): Said | undefined {
    if (this.#closed || failure.kind === "stopping" || failure.kind === "internal" || outflow.wasTorn)
      return undefined;
    if (this.#continuations >= MOST_CONTINUATIONS || !this.#policy.continues) return undefined;
    const said = outflow.said?.read();
    if (said === undefined || !this.#shared.budget.take(performance.now())) return undefined;
    this.#continuations++;
    this.#before = this.attempts;
    return said;
  }

  /** Whether the engine's own answer is the best that can be told. */
  passesOn({ kind }: AttemptFailure, service: string): boolean {
    if (kind === "faulty" || kind === "busy") return true;
    return kind === "unready" && viewOf(this.#shared.backends, service)?.state === "ready";
  }

  #hasOther({ services }: Choice): boolean {
    const { backends } = this.#shared;
    return services.some((name) => !this.passed.has(name) && backends.address(name) !== undefined);
  }
}
