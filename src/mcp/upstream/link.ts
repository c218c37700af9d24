import type {
  Client,
  LoggingLevel,
  RequestOptions,
  StandardSchemaV1,
  Tool,
} from "@modelcontextprotocol/client";

import type { Call } from "./call.ts";
import { currentCall } from "./attribution.ts";
import { isWanted } from "../log-levels.ts";

/** What a connection of the legacy era declared at its start: nothing, or all that a client can be asked. */
export type Profile = "plain" | "asking";

/** Takes every answer as it is: a gateway does not judge a server's answers by their schemas. */
export const AS_IT_IS: StandardSchemaV1 = {
  "~standard": { version: 1, vendor: "omni", validate: (value) => ({ value }) },
};

/** ms that a question waits until it is certain whose it is. */
const QUESTION_TIME = 10_000;

interface LinkParts {
  readonly client: Client;
  readonly profile: Profile;
  /** Answers of all calls come over one stream: stdio and SSE. */
  readonly onePipe: boolean;
  readonly pid: () => number | null;
  readonly end: () => Promise<void>;
  /** Milliseconds of a clock that only grows. */
  readonly opened: number;
}

/** An open connection to an upstream server. */
export class Link {
  readonly client: Client;
  readonly profile: Profile;
  readonly onePipe: boolean;
  readonly modern: boolean;
  readonly opened: number;
  readonly pid: () => number | null;
  /** Calls that the server has not answered. */
  readonly calls = new Set<Call>();
  /** It has answered a request since its handshake. */
  answered = false;
  /** A call was given up, so the server may still speak in its name: nothing on this pipe is attributed any more. */
  tainted = false;
  gone = false;
  /** Why it is gone, not yet cleaned of secrets. */
  reason: string | undefined;
  /** Resolves when nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #end: () => Promise<void>;
  readonly #onEnded: () => void;
  #level: LoggingLevel | undefined;
  #isEnding = false;
  #question: ((call: Call | undefined) => void) | undefined;
  #retired = false;

  constructor(parts: LinkParts) {
    this.client = parts.client;
    this.profile = parts.profile;
    this.onePipe = parts.onePipe;
    this.opened = parts.opened;
    this.pid = parts.pid;
    this.#end = parts.end;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#onEnded = resolve;
    this.modern = parts.client.getProtocolEra() === "modern";
  }

  get capabilities(): NonNullable<ReturnType<Client["getServerCapabilities"]>> {
    return this.client.getServerCapabilities() ?? {};
  }

  /** The call that the server speaks of, where that is certain: by the stream on which it speaks, or because there is no other. */
  subject(): Call | undefined {
    const told = this.#told();
    if (told !== undefined) return told;
    if (this.tainted || this.calls.size !== 1) return undefined;
    const [only] = this.calls;
    return only;
  }

  /** The call on whose own stream the server speaks; it may speak of one on a stream of the session too. */
  #told(): Call | undefined {
    return this.onePipe ? undefined : currentCall.getStore();
  }

  /**
   * Whose question it is. Where several calls run and it stands on none's own stream, the question waits until all the others have their answers,
   * which its own call has not while it asks; with a second question meanwhile, neither is anybody's.
   */
  asker(): Call | undefined | Promise<Call | undefined> {
    if (this.#told() !== undefined || this.tainted || this.calls.size < 2) return this.subject();
    if (this.#question !== undefined) {
      this.#question(undefined);
      return undefined;
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#question?.(undefined), QUESTION_TIME);
      this.#question = (call) => {
        clearTimeout(timer);
        this.#question = undefined;
        resolve(call);
      };
    });
  }

  async request(
    method: string,
    params: Record<string, unknown> | undefined,
    options: RequestOptions,
  ): Promise<unknown> {
    const request = params === undefined ? { method } : { method, params };
    const result = await this.client.request(request, AS_IT_IS, options);
    this.answered = true;
    return result;
  }

  /** A client's request; with headers made of its arguments where the tool's definition wants that. */
  async send(
    { method, headersOf }: { readonly method: string; readonly headersOf?: Tool | undefined },
    params: Record<string, unknown>,
    options: RequestOptions,
  ): Promise<unknown> {
    const name = params["name"];
    if (headersOf === undefined || typeof name !== "string") return this.request(method, params, options);
    // Without an output schema there is none to judge the answer by.
    const { outputSchema: _, ...toolDefinition } = headersOf;
    const result = await this.client.callTool({ ...params, name }, { ...options, toolDefinition });
    this.answered = true;
    return result;
  }

  /** Makes a server of the legacy era speak of `level` and worse; it is heard by those calls that want it. */
  async hear(level: LoggingLevel | undefined, timeout: number): Promise<void> {
    if (level === undefined || this.modern || this.capabilities.logging === undefined) return;
    if (isWanted(level, this.#level)) return;
    this.#level = level;
    await this.request("logging/setLevel", { level }, { timeout }).catch(() => {});
  }

  /** Takes no further calls and ends when the last one has its answer. */
  retire(): void {
    this.#retired = true;
    if (this.calls.size === 0) void this.end();
  }

  leave(call: Call): void {
    this.calls.delete(call);
    if (this.calls.size < 2) this.#question?.(this.subject());
    if (this.#retired && this.calls.size === 0) void this.end();
  }

  /** Resolves when nothing of it is left. */
  end(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#end().then(this.#onEnded, this.#onEnded);
    }
    return this.ended;
  }
}
