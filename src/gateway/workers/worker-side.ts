import type { EventLog } from "../../core/index.ts";
import { OmniError } from "../../core/index.ts";
import { openWorkerKeys } from "../../keys/index.ts";
import type { KnownKeys, WorkerKeys } from "../../keys/index.ts";
import type { LimitAsk, LimitGrant } from "../../store/limit-lender.ts";
import type { RequestSink } from "../../telemetry/index.ts";
import { Link } from "./link.ts";
import type { Channel } from "./link.ts";
import type { Answer } from "./named-answer.ts";
import { outcomeOf } from "./named-answer.ts";
import { NodeMirror } from "./node-mirror.ts";
import type { Outcome, ToParent, ToWorker } from "./protocol.ts";
import { PROTOCOL } from "./protocol.ts";
import { RemoteAdmission } from "./remote-admission.ts";
import { RemoteBackends } from "./remote-backends.ts";
import type { PastEvents } from "./remote-events.ts";
import { RemoteEvents } from "./remote-events.ts";
import { TokenPool } from "./token-pool.ts";

export interface WorkerSideOptions {
  /** Reads events that are older than those held here. */
  readonly past?: PastEvents;
  /** What the parent's `collect` reaches in this worker, by name. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** The parent sent settings, the first time (`first`) or because they changed. */
  readonly onSettings: (settings: unknown, first: boolean) => void;
  /** The parent wants this worker to end within so many ms, or is gone itself (`undefined`). */
  readonly onDrain: (deadline: number | undefined) => void;
}

/** The node, as a gateway in a worker process uses it: every part leads to the parent. */
export class WorkerSide {
  readonly backends: RemoteBackends;
  readonly admission: RemoteAdmission;
  readonly events: EventLog;
  readonly requests: RequestSink;
  readonly #link: Link<ToParent>;
  readonly #options: WorkerSideOptions;
  readonly #mirror = new NodeMirror();
  readonly #pool: TokenPool;
  readonly #events: RemoteEvents;
  readonly #calls = new Map<number, (outcome: Outcome) => void>();
  readonly #lends = new Map<number, (grants: readonly LimitGrant[] | undefined) => void>();
  #callNumber = 0;
  #keys: WorkerKeys | undefined;

  constructor(channel: Channel, options: WorkerSideOptions) {
    this.#options = options;
    this.#link = new Link(channel);
    const send = (message: ToParent): void => this.#link.send(message);
    this.#pool = new TokenPool({
      giveBack: (tokens) => send({ is: "return", tokens }),
      isGood: (token) => this.#mirror.isGood(token),
    });
    this.backends = new RemoteBackends(send, this.#pool, this.#mirror);
    this.admission = new RemoteAdmission(send, this.#pool, this.#mirror);
    this.#events = new RemoteEvents(send, options.past);
    this.events = this.#events;
    this.requests = { record: (record) => send({ is: "request", record }) };
  }

  /** Keys, limits and usage; there from the first settings on. */
  get keys(): WorkerKeys {
    if (this.#keys === undefined) throw new Error("The keys of the node have not been told yet.");
    return this.#keys;
  }

  /** Asks the parent by name. Rejects with what the parent's answer threw, or when the parent is gone. */
  call(what: string, input: unknown = null): Promise<unknown> {
    const call = ++this.#callNumber;
    this.#link.send({ is: "call", call, what, input });
    return new Promise((resolve, reject) => {
      this.#calls.set(call, (outcome) => {
        this.#calls.delete(call);
        if ("error" in outcome) reject(new Error(outcome.error));
        else resolve(outcome.value);
      });
    });
  }

  listening(url: string): void {
    this.#link.send({ is: "listening", url });
  }

  /** Tells why this worker cannot serve. */
  failed(thrown: unknown): void {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const known = thrown instanceof OmniError ? thrown : undefined;
    const hint = known?.hint === undefined ? {} : { hint: known.hint };
    this.#link.send({ is: "failed", code: known?.code ?? "", message, ...hint });
    this.#link.flush();
  }

  take(messages: readonly ToWorker[]): void {
    for (const message of messages) this.#take(message);
  }

  /** Free places go back at once from now on, and nothing is kept. */
  drain(): void {
    this.#pool.close();
  }

  /** Sends what is not sent yet. */
  flush(): void {
    this.#link.flush();
  }

  /** The parent is gone: whoever waits for it gets an answer, and the worker is to end. */
  orphaned(): void {
    this.#pool.close();
    this.admission.close();
    this.backends.close();
    for (const settle of this.#lends.values()) settle(undefined);
    for (const settle of this.#calls.values()) settle({ error: "The node is stopping." });
    this.#options.onDrain(undefined);
  }

  #take(message: ToWorker): void {
    switch (message.is) {
      case "begin":
        if (message.protocol === PROTOCOL) this.#options.onSettings(message.settings, true);
        else this.failed(new Error(`The worker speaks protocol ${PROTOCOL}, its node ${message.protocol}.`));
        return;
      case "settings":
        this.#options.onSettings(message.settings, false);
        return;
      case "mirror":
        this.#mirror.apply(message.change);
        this.#pool.review();
        return;
      case "keys":
        this.#setKeys(message.known);
        return;
      case "granted":
        this.admission.granted(message.ask, message.token);
        return;
      case "refused":
        this.admission.refused(message.ask, message.refusal);
        return;
      case "contended":
        this.#pool.contended(message.service, message.on);
        return;
      case "ready":
        this.backends.ready(message.wait, message.ready, message.token);
        return;
      case "heard":
        this.#mirror.heard(message.service);
        return;
      case "lent":
        this.#lends.get(message.call)?.(message.grants);
        return;
      case "events":
        this.#events.happened(message.events);
        return;
      case "answer":
        this.#calls.get(message.call)?.(message.outcome);
        return;
      case "question":
        void this.#answer(message.call, message.what, message.input);
        return;
      case "drain":
        this.#options.onDrain(message.deadline);
    }
  }

  #setKeys(known: KnownKeys): void {
    if (this.#keys !== undefined) this.#keys.set(known);
    else
      this.#keys = openWorkerKeys({
        known,
        // The parent knows this worker by another name than it could give itself.
        holder: "",
        lender: { exchange: (_, asks) => this.#lend(asks) },
        addUsage: (rows) => this.#link.send({ is: "usage", rows }),
        onEvent: (event) => this.#link.send({ is: "event", event }),
      });
  }

  #lend(asks: readonly LimitAsk[]): Promise<readonly LimitGrant[]> {
    const call = ++this.#callNumber;
    this.#link.send({ is: "lend", call, asks });
    return new Promise((resolve, reject) => {
      this.#lends.set(call, (grants) => {
        this.#lends.delete(call);
        if (grants === undefined) reject(new Error("The node cannot count the limits of keys now."));
        else resolve(grants);
      });
    });
  }

  async #answer(call: number, what: string, input: unknown): Promise<void> {
    this.#link.send({ is: "told", call, outcome: await outcomeOf(this.#options.answers[what], what, input) });
  }
}
