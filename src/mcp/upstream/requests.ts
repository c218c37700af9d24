import type { Tool } from "@modelcontextprotocol/client";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/client";

import { formatDuration, OmniError } from "../../core/index.ts";
import type { ProviderContext } from "../provider.ts";
import { currentCall } from "./attribution.ts";
import { Call } from "./call.ts";
import { canBeAsked } from "./connections.ts";
import type { Connections } from "./connections.ts";
import { fateOf, isConnectionGone, reasonOf, requestError } from "./failure.ts";
import { forwarded } from "./forwarded-request.ts";
import type { Link } from "./link.ts";
import type { Lease } from "./link-pool.ts";
import type { ParkedCalls } from "./parked-calls.ts";
import { PROGRESS_FACTOR } from "./upstream-options.ts";
import type { UpstreamOptions } from "./upstream-options.ts";

/** The SDK's own timer where the time is counted here. */
const NEVER = 2 ** 31 - 1;
const HEADER_MISMATCH = -32_020;
const TICKET = "omni.";

/** A request of a client. */
export interface UpstreamRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Of what, for messages: a tool's name, an address. */
  readonly subject: string;
  /** Doing it twice is as good as once. */
  readonly repeatable: boolean;
  /** A tool whose definition wants arguments as headers. */
  readonly headersOf?: Tool | undefined;
}

/** Sends clients' requests to one server and keeps those that wait for a person. */
export class Requests {
  readonly #options: UpstreamOptions;
  readonly #clean: (text: string) => string;
  readonly #connections: Connections;
  readonly #parked: ParkedCalls;
  /** The server found that arguments and headers differ: its tools are others than known. */
  readonly #onMismatch: () => Promise<void>;

  constructor(parts: {
    readonly options: UpstreamOptions;
    readonly clean: (text: string) => string;
    readonly connections: Connections;
    readonly parked: ParkedCalls;
    readonly onMismatch: () => Promise<void>;
  }) {
    this.#options = parts.options;
    this.#clean = parts.clean;
    this.#connections = parts.connections;
    this.#parked = parts.parked;
    this.#onMismatch = parts.onMismatch;
  }

  /** `requestOf` is asked again when the request is sent again. */
  async send(requestOf: () => UpstreamRequest, context: ProviderContext): Promise<unknown> {
    context.signal.throwIfAborted();
    const parked = this.#resumed(context);
    const request = requestOf();
    if (parked !== undefined) {
      return await this.#judged(
        request,
        context,
        parked.resume(context, () => this.#late(request)),
      );
    }
    try {
      return await this.#once(request, context);
    } catch (error) {
      if (!(await this.#mayRepeat(request, error)) || context.signal.aborted)
        throw this.#errorOf(request, context, error);
    }
    return await this.#judged(request, context, this.#once(requestOf(), context));
  }

  #resumed({ requestState, caller }: ProviderContext): Call | undefined {
    if (requestState?.startsWith(TICKET) !== true) return undefined;
    const call = this.#parked.take(requestState, caller.key);
    if (call !== undefined) return call;
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      "The call that asked is over: it was answered already, or waited too long. Call again without requestState.",
    );
  }

  async #mayRepeat(request: UpstreamRequest, error: unknown): Promise<boolean> {
    if (error instanceof Sent) {
      const { cause, link } = error;
      const fate = fateOf(cause);
      if (fate === "expired") return !link.modern;
      if (fate === "lost") return request.repeatable && link.gone;
      if (cause instanceof ProtocolError && cause.code === HEADER_MISMATCH && link.modern) {
        await this.#onMismatch();
        return true;
      }
    }
    return false;
  }

  async #once(request: UpstreamRequest, context: ProviderContext): Promise<unknown> {
    const lent = this.#connections.lend(context);
    const lease = lent instanceof Promise ? await lent : lent;
    const { link } = lease;
    const asked = !link.modern && link.profile === "asking" && canBeAsked(context.capabilities);
    const call = new Call(context, this.#options.timeout, asked ? this.#parked : undefined);
    link.calls.add(call);
    if (!asked) return this.#sendOn(lease, call, request, context);
    return call.start(
      (signal) => this.#sendOn(lease, call, request, context, signal),
      () => this.#late(request),
    );
  }

  /** `signal` when the time is counted by the call itself. */
  async #sendOn(
    lease: Lease,
    call: Call,
    request: UpstreamRequest,
    context: ProviderContext,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const { link } = lease;
    const { timeout } = this.#options;
    try {
      await link.hear(context.logLevel, timeout);
      const times =
        signal === undefined
          ? { timeout, maxTotalTimeout: timeout * PROGRESS_FACTOR, resetTimeoutOnProgress: true }
          : { timeout: NEVER };
      const options = {
        ...times,
        signal: signal ?? context.signal,
        allowInputRequired: true,
        ...(context.onProgress === undefined ? {} : { onprogress: call.progress.bind(call) }),
      };
      const params = forwarded(request.params, context, link.modern);
      return await currentCall.run(call, () => link.send(request, params, options));
    } catch (error) {
      this.#mark(link, error, (signal ?? context.signal).aborted);
      throw new Sent(link, error);
    } finally {
      call.settled = true;
      link.leave(call);
      lease.end();
    }
  }

  #mark(link: Link, error: unknown, aborted: boolean): void {
    const fate = fateOf(error);
    if (aborted || fate === "timeout") {
      // It may go on with the call, and speak of it.
      link.tainted = true;
    } else if (fate === "expired" && !link.modern) this.#connections.expired(link);
    else if (isConnectionGone(error)) this.#connections.lost(link, reasonOf(error));
  }

  #late({ method, subject }: UpstreamRequest): OmniError {
    const { name, timeout } = this.#options;
    return new OmniError(
      "mcp.timeout",
      `MCP server ${name} did not answer ${method} ${subject} within ${formatDuration(timeout)}.`,
    );
  }

  async #judged(
    request: UpstreamRequest,
    context: ProviderContext,
    answer: Promise<unknown>,
  ): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      throw this.#errorOf(request, context, error);
    }
  }

  #errorOf(request: UpstreamRequest, { signal }: ProviderContext, error: unknown): unknown {
    if (signal.aborted) return signal.reason;
    const { name, timeout } = this.#options;
    const cause = error instanceof Sent ? error.cause : error;
    // Before anything was sent: the pool and the keeper say it in whole sentences.
    if (!(error instanceof Sent) && cause instanceof OmniError) return cause;
    const reason = error instanceof Sent ? error.link.reason : undefined;
    const clear =
      reason === undefined || fateOf(cause) !== "lost" ? cause : new OmniError("mcp.unreachable", reason);
    return requestError(name, `${request.method} ${request.subject}`, clear, this.#clean, timeout);
  }
}

/** A request failed after a connection was found for it. */
class Sent extends Error {
  readonly link: Link;

  constructor(link: Link, cause: unknown) {
    super("sent", { cause });
    this.link = link;
  }
}
