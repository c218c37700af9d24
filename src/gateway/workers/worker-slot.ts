import { CODES, OmniError } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import type { Contention } from "./contention.ts";
import type { Outcome, ToParent, ToWorker } from "./protocol.ts";
import { Restarts } from "./restarts.ts";
import type { WorkerServices } from "./worker-desk.ts";
import { WorkerDesk } from "./worker-desk.ts";
import type { WorkerEnd } from "./worker-process.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface SlotOptions {
  /** From 1 on, for events. */
  readonly number: number;
  readonly entry: string;
  readonly services: WorkerServices;
  readonly contention: Contention;
  /** What a worker that begins has to know, in order. */
  readonly beginning: () => readonly ToWorker[];
  /** Tells workers what has changed in the node. */
  readonly refresh: () => void;
}

interface Running {
  readonly process: WorkerProcess;
  readonly desk: WorkerDesk;
  readonly began: number;
  isListening: boolean;
}

/** A worker that does not answer a question within this many ms is left out. */
const ANSWER_TIME = 2000;

/** The place of one worker: started, and started again whenever it dies, until it is closed. */
export class WorkerSlot {
  readonly #options: SlotOptions;
  readonly #restarts = new Restarts();
  readonly #questions = new Map<number, (outcome: Outcome | undefined) => void>();
  readonly #ends: (() => void)[] = [];
  #running: Running | undefined;
  #closing = false;
  #calls = 0;
  /** Of the worker that ended last: whether it served, for how long (ms), and what it had then. */
  #wasListening = false;
  #lived = 0;
  #lost: WorkerDesk["held"] = { tokens: 0, waiting: 0 };

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Process of the worker that listens. */
  get pid(): number | undefined {
    return this.#running?.isListening === true ? this.#running.process.pid : undefined;
  }

  /** Resolves with the URL once the worker listens; rejects with why it cannot, and then does not try again. */
  start(): Promise<string> {
    return new Promise((resolve, reject) => {
      let failure: OmniError | undefined;
      this.#fork(
        (message) => {
          if (message.is === "listening") resolve(message.url);
          else failure = failureOf(message);
        },
        (end) => {
          if (this.#wasListening) this.#died(end);
          else reject(failure ?? unexplained(end));
        },
      );
    });
  }

  /** Starts the worker without waiting for it; one that cannot listen is tried again like one that died. */
  launch(): void {
    let failure: OmniError | undefined;
    this.#fork(
      (message) => {
        if (message.is === "failed") failure = failureOf(message);
        else this.#started();
      },
      (end) => this.#died(end, failure),
    );
  }

  send(message: ToWorker): void {
    this.#running?.process.send(message);
  }

  /** The worker's answer, `undefined` when there is none in time. */
  ask(what: string, input: unknown): Promise<Outcome | undefined> {
    if (this.pid === undefined) return Promise.resolve(undefined);
    const call = ++this.#calls;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome | undefined): void => {
        clearTimeout(timer);
        this.#questions.delete(call);
        resolve(outcome);
      };
      const timer = setTimeout(() => settle(undefined), ANSWER_TIME);
      this.#questions.set(call, settle);
      this.send({ is: "question", call, what, input });
    });
  }

  /** Asks the worker to end within so many ms; none is started any more. */
  drain(deadline: number): void {
    this.#closing = true;
    this.#restarts.cancel();
    this.send({ is: "drain", deadline });
  }

  kill(): void {
    this.#running?.process.kill();
  }

  /** Resolves once there is no process. */
  async ended(): Promise<void> {
    if (this.#running !== undefined) await new Promise<void>((resolve) => this.#ends.push(resolve));
  }

  #fork(
    told: (message: Extract<ToParent, { readonly is: "listening" | "failed" }>) => void,
    ended: (end: WorkerEnd) => void,
  ): void {
    const { entry, services, contention, beginning, refresh } = this.#options;
    this.#wasListening = false;
    const process = new WorkerProcess({
      entry,
      take: (messages) => {
        for (const message of messages) {
          if (message.is === "told") this.#questions.get(message.call)?.(message.outcome);
          else if (message.is === "listening" || message.is === "failed") {
            this.#wasListening = running.isListening = message.is === "listening";
            told(message);
          } else desk.take(message);
        }
      },
      ended: (end) => {
        this.#running = undefined;
        for (const settle of this.#questions.values()) settle(undefined);
        this.#lost = desk.held;
        this.#lived = performance.now() - running.began;
        desk.close();
        ended(end);
        for (const resolve of this.#ends.splice(0)) resolve();
      },
    });
    const send = (message: ToWorker): void => process.send(message);
    const desk = new WorkerDesk({ services, contention, send, refresh });
    const running: Running = { process, desk, began: performance.now(), isListening: false };
    this.#running = running;
    for (const message of beginning()) send(message);
  }

  #started(): void {
    const { number, services } = this.#options;
    const pid = this.pid ?? 0;
    services.events.record({
      kind: "gateway.worker-started",
      severity: "info",
      message: `Worker ${number} of the gateway serves again as process ${pid}.`,
      data: { worker: number, pid },
    });
  }

  #died(end: WorkerEnd, failure?: OmniError): void {
    if (this.#closing) return;
    const { number, services } = this.#options;
    const delay = this.#restarts.after(this.#lived, () => this.launch());
    const { tokens, waiting } = this.#lost;
    const how = failure?.message ?? (end.signal === null ? `code ${end.code}` : `signal ${end.signal}`);
    const when = delay === 0 ? "at once" : `in ${(delay / 1000).toFixed(1)} s`;
    services.events.record({
      kind: "gateway.worker-died",
      severity: "error",
      message:
        `Worker ${number} of the gateway ended (${how}); its connections broke, its ${tokens} places are free again` +
        ` and its ${waiting} waiting requests are gone. It is started again ${when}.`,
      data: { worker: number, ...end, places: tokens, waiting, restartIn: delay },
    });
  }
}

function failureOf(
  message: Extract<ToParent, { readonly is: "listening" | "failed" }>,
): OmniError | undefined {
  if (message.is === "listening") return undefined;
  const hint = message.hint === undefined ? {} : { hint: message.hint };
  return new OmniError(isCode(message.code) ? message.code : "node.worker-failed", message.message, hint);
}

const unexplained = ({ code, signal }: WorkerEnd): OmniError =>
  new OmniError(
    "node.worker-failed",
    `A worker of the gateway ended before it listened: ${signal === null ? `code ${code}` : `signal ${signal}`}.`,
  );

const isCode = (text: string): text is Code => Object.hasOwn(CODES, text);
