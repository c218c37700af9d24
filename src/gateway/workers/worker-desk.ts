import type { EventLog } from "../../core/index.ts";
import type { KeysForWorkers } from "../../keys/index.ts";
import type { Backends } from "../../supervisor/backends.ts";
import type { RequestSink } from "../../telemetry/index.ts";
import type { Admission } from "../admission/admission.ts";
import type { Contention } from "./contention.ts";
import type { Answer } from "./named-answer.ts";
import { outcomeOf } from "./named-answer.ts";
import type { ToParent, ToWorker } from "./protocol.ts";
import { TokenBook } from "./token-book.ts";
import { WorkerLoans } from "./worker-loans.ts";

/** What workers use of the node, kept by the parent. */
export interface WorkerServices {
  readonly backends: Backends;
  readonly admission: Admission;
  readonly keys: KeysForWorkers;
  readonly events: EventLog;
  /** Where workers' requests are told, one by one: the access log, rows of the store. */
  readonly requests?: RequestSink;
  /** What `call` of a worker reaches, by name: `control`, `hardware`, … */
  readonly answers?: Readonly<Record<string, Answer>>;
}

/** A message that asks the parent for something; the others concern the process of the worker. */
export type Errand = Exclude<ToParent, { readonly is: "listening" | "failed" | "told" }>;

type Enter = Extract<ToParent, { readonly is: "enter" }>;

interface DeskOptions {
  readonly services: WorkerServices;
  readonly contention: Contention;
  readonly send: (message: ToWorker) => void;
  /** Tells this worker what has changed in the node, now. */
  readonly refresh: () => void;
}

/** Everything that one worker has and wants of the parent. `close` gives all of it back, however the worker ended. */
export class WorkerDesk {
  readonly #node: WorkerServices;
  readonly #contention: Contention;
  readonly #send: (message: ToWorker) => void;
  readonly #refresh: () => void;
  readonly #tokens: TokenBook;
  readonly #entering = new Map<number, AbortController>();
  readonly #waits = new Map<number, AbortController>();
  readonly #demands = new Map<number, () => void>();
  readonly #loans: WorkerLoans;
  #closed = false;

  constructor({ services, contention, send, refresh }: DeskOptions) {
    this.#node = services;
    this.#contention = contention;
    this.#send = send;
    this.#refresh = refresh;
    this.#tokens = new TokenBook(services.backends);
    this.#loans = new WorkerLoans(services.keys.lender);
  }

  /** Requests that the worker has places or leases for, and that wait for one. */
  get held(): { readonly tokens: number; readonly waiting: number } {
    return { tokens: this.#tokens.size, waiting: this.#entering.size };
  }

  take(message: Errand): void {
    if (this.#closed) return;
    const { backends, keys, events, requests } = this.#node;
    switch (message.is) {
      case "enter":
        this.#enter(message);
        return;
      case "withdraw":
        this.#entering.get(message.ask)?.abort();
        return;
      case "return":
        this.#contention.look(this.#tokens.takeBack(message.tokens));
        return;
      case "wait":
        void this.#wait(message);
        return;
      case "unwait":
        this.#waits.get(message.wait)?.abort();
        return;
      case "demand":
        this.#demands.set(message.demand, backends.demand(message.services));
        return;
      case "undemand":
        this.#demands.get(message.demand)?.();
        this.#demands.delete(message.demand);
        return;
      case "broken":
        backends.reportBroken(message.service, message.why);
        this.#heard(message.service);
        return;
      case "wrong":
        backends.reportWrong?.(message.service, message.why);
        return;
      case "lend":
        void this.#lend(message);
        return;
      case "usage":
        keys.addUsage(message.rows);
        return;
      case "request":
        requests?.record(message.record);
        return;
      case "event":
        events.record(message.event);
        return;
      case "call":
        void this.#call(message);
    }
  }

  /** Gives back all that the worker had. */
  close(): void {
    this.#closed = true;
    for (const entering of this.#entering.values()) entering.abort();
    for (const wait of this.#waits.values()) wait.abort();
    for (const withdraw of this.#demands.values()) withdraw();
    this.#demands.clear();
    this.#loans.giveBack();
    this.#contention.look(this.#tokens.takeAllBack());
  }

  #enter(message: Enter): void {
    const { ask, wanted, key, priority } = message;
    const { admission } = this.#node;
    for (const one of wanted) {
      const place = admission.tryEnter(one, { key, priority });
      if (place === undefined) continue;
      this.#send({ is: "granted", ask, token: this.#tokens.withPlace(place, one.bound?.route) });
      return;
    }
    const entering = new AbortController();
    this.#entering.set(ask, entering);
    void this.#queue(message, entering.signal);
    this.#contention.look(wanted.map(({ service }) => service));
  }

  async #queue({ ask, wanted, key, priority, time }: Enter, signal: AbortSignal): Promise<void> {
    const got = await this.#node.admission.enter(wanted, { key, priority }, time, signal);
    this.#entering.delete(ask);
    if (got !== undefined && "leave" in got) {
      if (this.#closed || signal.aborted) got.leave();
      else {
        const route = wanted.find(({ service }) => service === got.service)?.bound?.route;
        this.#send({ is: "granted", ask, token: this.#tokens.withPlace(got, route) });
      }
    } else if (got !== undefined && !this.#closed) this.#send({ is: "refused", ask, refusal: got });
    this.#contention.look(wanted.map(({ service }) => service));
  }

  async #wait({ wait, service, timeout }: Extract<ToParent, { is: "wait" }>): Promise<void> {
    const waiting = new AbortController();
    this.#waits.set(wait, waiting);
    const ready = await this.#node.backends.whenReady(service, timeout, waiting.signal);
    this.#waits.delete(wait);
    if (this.#closed || waiting.signal.aborted) return;
    const token = ready ? this.#tokens.forLease(service) : undefined;
    // The worker goes by the mirror, which must not be older than this answer.
    this.#refresh();
    this.#send({ is: "ready", wait, ready, ...(token === undefined ? {} : { token }) });
  }

  #heard(service: string): void {
    this.#refresh();
    this.#send({ is: "heard", service });
  }

  async #lend({ call, asks }: Extract<ToParent, { is: "lend" }>): Promise<void> {
    const grants = await this.#loans.exchange(asks);
    if (!this.#closed) this.#send({ is: "lent", call, ...(grants === undefined ? {} : { grants }) });
  }

  async #call({ call, what, input }: Extract<ToParent, { is: "call" }>): Promise<void> {
    const outcome = await outcomeOf(this.#node.answers?.[what], what, input);
    if (!this.#closed) this.#send({ is: "answer", call, outcome });
  }
}
