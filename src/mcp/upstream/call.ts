import { randomBytes } from "node:crypto";
import type {
  InputRequiredResult,
  LoggingMessageNotificationParams,
  Progress,
} from "@modelcontextprotocol/client";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/client";

import type { ProviderContext } from "../provider.ts";
import { isWanted } from "../log-levels.ts";
import type { ParkedCalls } from "./parked-calls.ts";
import { PROGRESS_FACTOR } from "./upstream-options.ts";

export type AskMethod = "elicitation/create" | "sampling/createMessage" | "roots/list";

const ASKED_FOR: Readonly<Record<AskMethod, string>> = {
  "elicitation/create": "a person for input",
  "sampling/createMessage": "for a model's text",
  "roots/list": "for its roots",
};

interface Ask {
  readonly method: AskMethod;
  readonly params: Readonly<Record<string, unknown>>;
  readonly answer: (response: unknown) => void;
  readonly refuse: (error: Error) => void;
  /** The client has been asked. */
  isShown: boolean;
}

/** How a call is sent, until its own signal aborts. */
export type Send = (signal: AbortSignal) => Promise<unknown>;

/**
 * One request of a client to an upstream server, from its sending to its answer. When a server of the legacy era asks the
 * client something in the middle of it, the round ends with an `InputRequiredResult`, the call stays with the server, and
 * the client's next request goes on with it.
 */
export class Call {
  settled = false;
  readonly #parked: ParkedCalls | undefined;
  readonly #timeout: number;
  readonly #controller: AbortController | undefined;
  readonly #asks = new Map<string, Ask>();
  #context: ProviderContext;
  #result: Promise<unknown> = Promise.resolve(undefined);
  #round: ((answer: InputRequiredResult) => void) | undefined;
  #onAlive: (() => void) | undefined;
  #count = 0;

  /** Without `parked`, the client of this call cannot be asked anything. `timeout` ms of silence are the end of a round. */
  constructor(context: ProviderContext, timeout: number, parked?: ParkedCalls) {
    this.#context = context;
    this.#timeout = timeout;
    this.#parked = parked;
    this.#controller = parked === undefined ? undefined : new AbortController();
  }

  get caller(): string {
    return this.#context.caller.key;
  }

  log(message: LoggingMessageNotificationParams): void {
    const { logLevel, onLog } = this.#context;
    if (!this.settled && onLog !== undefined && isWanted(message.level, logLevel)) onLog(message);
  }

  /** Sends it and waits for the answer or the first question. */
  start(send: Send, onTimeout: () => Error): Promise<unknown> {
    const controller = this.#controller ?? new AbortController();
    this.#result = send(controller.signal).finally(() => {
      this.settled = true;
      for (const ask of this.#asks.values()) ask.refuse(new Error("The call has ended."));
      this.#asks.clear();
    });
    // Between two rounds nobody listens.
    this.#result.catch(() => {});
    return this.#wait(onTimeout);
  }

  /** Answers what was asked and waits for what comes next. */
  resume(context: ProviderContext, onTimeout: () => Error): Promise<unknown> {
    this.#context = context;
    for (const [key, ask] of this.#asks) {
      // What came meanwhile is for the next round.
      if (!ask.isShown) continue;
      this.#asks.delete(key);
      const response = context.inputResponses?.[key];
      if (response !== undefined) ask.answer(response);
      else ask.refuse(new ProtocolError(ProtocolErrorCode.InvalidRequest, "The client gave no answer."));
    }
    return this.#wait(onTimeout);
  }

  /** Gives up: the server is told, and whoever waits gets `error`. */
  abort(error: unknown): void {
    this.#controller?.abort(error);
  }

  /** The server is at work: the round may last longer, and the client of this round is told. */
  progress(progress: Progress): void {
    this.#onAlive?.();
    this.#context.onProgress?.(progress);
  }

  #wait(onTimeout: () => Error): Promise<unknown> {
    const { signal } = this.#context;
    const until = performance.now() + this.#timeout * PROGRESS_FACTOR;
    return new Promise((resolve, reject) => {
      const abort = (): void => this.abort(signal.reason);
      const timer = setTimeout(() => this.abort(onTimeout()), this.#timeout);
      this.#onAlive = () => {
        if (performance.now() + this.#timeout < until) timer.refresh();
      };
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        this.#onAlive = undefined;
        this.#round = undefined;
      };
      this.#round = (answer) => {
        over();
        resolve(answer);
      };
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      this.#result.then(
        (result) => {
          over();
          return resolve(result);
        },
        (error: unknown) => {
          over();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
      if (this.#asks.size > 0) this.#park();
    });
  }

  /** Asks the client; resolves with its answer, unverified. */
  ask(method: AskMethod, params: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    if (!this.#mayBeAsked(method, params)) {
      throw new ProtocolError(
        ProtocolErrorCode.InvalidRequest,
        `The client of this call cannot be asked ${ASKED_FOR[method]}.`,
      );
    }
    return new Promise((resolve, reject) => {
      this.#count += 1;
      const key = `ask-${this.#count}`;
      // What older revisions leave out, the newer ones want.
      const asked = method === "elicitation/create" ? { mode: "form", ...params } : params;
      this.#asks.set(key, { method, params: asked, answer: resolve, refuse: reject, isShown: false });
      signal.addEventListener("abort", () => void this.#asks.delete(key), { once: true });
      if (this.#round !== undefined) this.#park();
    });
  }

  #mayBeAsked(method: AskMethod, params: Readonly<Record<string, unknown>>): boolean {
    if (this.#parked === undefined || this.settled) return false;
    const { sampling, elicitation, roots } = this.#context.capabilities;
    if (method === "roots/list") return roots !== undefined;
    if (method === "sampling/createMessage") return sampling !== undefined;
    if (elicitation === undefined) return false;
    // An empty object means forms: the older revisions had nothing else.
    if (params["mode"] === "url") return elicitation.url !== undefined;
    return elicitation.form !== undefined || elicitation.url === undefined;
  }

  #park(): void {
    const ticket = `omni.${randomBytes(24).toString("base64url")}`;
    if (this.#parked?.put(ticket, this) !== true) {
      const full = new ProtocolError(
        ProtocolErrorCode.InternalError,
        "Too many calls wait for people already.",
      );
      for (const ask of this.#asks.values()) ask.refuse(full);
      this.#asks.clear();
      return;
    }
    const inputRequests: NonNullable<InputRequiredResult["inputRequests"]> = {};
    for (const [key, ask] of this.#asks) {
      ask.isShown = true;
      Object.assign(inputRequests, { [key]: { method: ask.method, params: ask.params } });
    }
    this.#round?.({ resultType: "input_required", inputRequests, requestState: ticket });
  }
}
