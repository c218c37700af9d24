import type { ClientCapabilities } from "@modelcontextprotocol/client";

import { formatDuration, OmniError } from "../../core/index.ts";
import type { ProviderContext, ProviderState, ProviderView } from "../provider.ts";
import { afterFailedStart, afterLoss, CLEAN } from "./backoff.ts";
import { isLoginError, reasonOf } from "./failure.ts";
import type { Link, Profile } from "./link.ts";
import type { LinkListeners } from "./link-listeners.ts";
import { LinkPool } from "./link-pool.ts";
import type { Lease, Need } from "./link-pool.ts";
import { openLink } from "./open-link.ts";
import type { Era } from "./open-link.ts";
import { placeOf } from "./upstream-options.ts";
import type { UpstreamOptions } from "./upstream-options.ts";

export interface ConnectionListeners {
  readonly onList: LinkListeners["onList"];
  readonly onUpdated: LinkListeners["onUpdated"];
  /** A connection was opened; `again` when there was one before. */
  readonly onOpen: (link: Link, again: boolean) => void;
  /** The last connection ended, or none could be opened. */
  readonly onDown: () => void;
  readonly onState: () => void;
}

/** Whether a client can be asked anything that a server of the legacy era asks in the middle of a call. */
export const canBeAsked = ({ sampling, elicitation, roots }: ClientCapabilities): boolean =>
  sampling !== undefined || elicitation !== undefined || roots !== undefined;

/**
 * All connections to one server, opened when they are needed and opened again when they were lost; a server that cannot be
 * reached is tried ever more seldom, and requests fail at once meanwhile.
 */
export class Connections {
  readonly #options: UpstreamOptions;
  readonly #listeners: ConnectionListeners;
  readonly #clean: (text: string) => string;
  readonly #onePipe: boolean;
  readonly #pool: LinkPool;
  readonly #alive = new Set<Link>();
  readonly #retired = new Set<Link>();
  readonly #era: Era = { legacyUntil: 0 };
  readonly #closing = new AbortController();
  #backoff = CLEAN;
  #state: ProviderState = "idle";
  #reason: string | undefined;
  #since = Date.now();
  #opened = 0;
  #restarts = 0;
  #wasLost = false;
  /** The server has asked a client once: from then on who can be asked has a pipe of its own. */
  #asks = false;

  constructor(options: UpstreamOptions, clean: (text: string) => string, listeners: ConnectionListeners) {
    this.#options = options;
    this.#clean = clean;
    this.#listeners = listeners;
    this.#onePipe = options.kind === "stdio" || options.transport === "sse";
    // Over Streamable HTTP a session costs the server little: one for those who can be asked, one for the others.
    this.#pool = new LinkPool({
      most: this.#onePipe ? options.instances : 2,
      // A little less than the call has, so that its caller hears why.
      patience: options.timeout * 0.9,
      open: (profile) => this.#open(profile),
      replace: (link) => this.#drop(link),
      busy: () => this.#busy(),
    });
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get first(): Link | undefined {
    return this.#pool.first;
  }

  /** ms until the server may be tried again. */
  get pause(): number {
    return Math.max(0, this.#backoff.until - performance.now());
  }

  /** A connection for a request that belongs to nobody, as lists. */
  async any(signal: AbortSignal): Promise<Link> {
    const { first } = this.#pool;
    if (first !== undefined) return first;
    const lease = await this.#pool.lend({ profile: this.#profileOf({}), alone: false }, signal);
    lease.end();
    return lease.link;
  }

  /** A connection for a client's request. */
  lend(context: ProviderContext): Lease | Promise<Lease> {
    const { first } = this.#pool;
    if (first === undefined) return this.#lendFirst(context);
    return this.#pool.lend(this.#needOf(first, context), context.signal);
  }

  async #lendFirst(context: ProviderContext): Promise<Lease> {
    const profile = this.#profileOf(context.capabilities);
    const lease = await this.#pool.lend({ profile, alone: false }, context.signal);
    const need = this.#needOf(lease.link, context);
    if (!need.alone && (lease.link.modern || need.profile === profile)) return lease;
    lease.end();
    return this.#pool.lend(need, context.signal);
  }

  #busy(): OmniError {
    const { name, instances } = this.#options;
    return new OmniError(
      "mcp.timeout",
      `MCP server ${name} was busy all the time: ${instances} of ${instances} instances with other calls, or with one that waits for a person.`,
      { hint: `Allow more with tools.${name}.instances.` },
    );
  }

  #profileOf(capabilities: ClientCapabilities): Profile {
    // One process has to serve both kinds, so it is told from the start that it may ask; who cannot be asked is not.
    if (this.#onePipe && this.#options.instances === 1) return "asking";
    return canBeAsked(capabilities) ? "asking" : "plain";
  }

  #needOf(link: Link, { capabilities, logLevel }: ProviderContext): Need {
    const logs = logLevel !== undefined && link.capabilities.logging !== undefined;
    if (link.modern) return { profile: "plain", alone: link.onePipe && logs };
    const asked = this.#asks && canBeAsked(capabilities);
    return { profile: this.#profileOf(capabilities), alone: link.onePipe && (logs || asked) };
  }

  async #open(profile: Profile): Promise<Link> {
    const { name } = this.#options;
    if (this.closed) throw closedError(name);
    if (this.pause > 0) throw this.#notYet();
    if (this.#pool.first === undefined) this.#enter("starting", undefined);
    let link: Link;
    try {
      link = await openLink({
        options: this.#options,
        profile,
        era: this.#era,
        listeners: {
          onList: this.#listeners.onList,
          onUpdated: this.#listeners.onUpdated,
          onAsk: () => {
            this.#asks = true;
          },
          onLost: (lost) => this.lost(lost, lost.reason ?? "the connection ended"),
        },
        closing: this.#closing.signal,
      });
    } catch (error) {
      if (this.closed) throw closedError(name);
      throw this.#failed(error);
    }
    this.#alive.add(link);
    if (this.closed) {
      await this.close();
      throw closedError(name);
    }
    if (this.#wasLost) this.#restarts += 1;
    this.#wasLost = false;
    this.#opened += 1;
    this.#enter("ready", undefined);
    this.#tell("info", "mcp.server-ready", `MCP server ${name} is ready (${placeOf(this.#options)}).`);
    this.#listeners.onOpen(link, this.#opened > 1);
    return link;
  }

  #failed(error: unknown): OmniError {
    const { name } = this.#options;
    this.#backoff = afterFailedStart(this.#backoff, performance.now(), Math.random());
    this.#wasLost = true;
    const reason = this.#clean(reasonOf(error));
    if (this.#pool.first === undefined) {
      this.#enter("failed", reason);
      this.#listeners.onDown();
    }
    this.#tell(
      "warning",
      "mcp.server-failed",
      `MCP server ${name} cannot be reached: ${reason}. ${this.#again()}`,
    );
    const tells = isLoginError(error) || (error instanceof OmniError && error.code === "mcp.timeout");
    const code = tells ? error.code : "mcp.unreachable";
    return new OmniError(code, `MCP server ${name} cannot be reached: ${reason}. ${this.#again()}`, {
      cause: error,
    });
  }

  #again(): string {
    return `It is tried again with the first request after ${formatDuration(Math.ceil(this.pause / 1000) * 1000)}.`;
  }

  #notYet(): OmniError {
    const { name } = this.#options;
    return new OmniError(
      "mcp.unreachable",
      `MCP server ${name} cannot be reached: ${this.#reason ?? "it failed"}. ${this.#again()}`,
    );
  }

  /** A connection that is of no use any more; those who still wait on it get their answers or errors. */
  lost(link: Link, cause: string): void {
    if (!this.#alive.has(link)) return;
    this.#drop(link);
    if (this.closed) return;
    const now = performance.now();
    this.#backoff = afterLoss(this.#backoff, now - link.opened, link.answered, now, Math.random());
    this.#wasLost = true;
    const reason = this.#clean(cause);
    const { name } = this.#options;
    const then = this.pause > 0 ? this.#again() : "It is started again with the next request.";
    if (this.#pool.first === undefined) {
      this.#enter(this.pause > 0 ? "failed" : "idle", reason);
      this.#listeners.onDown();
    }
    this.#tell("warning", "mcp.server-lost", `MCP server ${name} is gone: ${reason}. ${then}`);
  }

  /** The server has forgotten the session of this connection. */
  expired(link: Link): void {
    if (!this.#alive.has(link)) return;
    this.#drop(link);
    this.#wasLost = true;
    this.#tell(
      "info",
      "mcp.server-expired",
      `MCP server ${this.#options.name} has forgotten the session; a new one begins.`,
    );
  }

  #drop(link: Link): void {
    this.#pool.drop(link);
    this.#alive.delete(link);
    // What still runs on it keeps it; closing waits for it.
    this.#retired.add(link);
    void link.ended.then(() => this.#retired.delete(link));
  }

  retry(): void {
    this.#backoff = CLEAN;
  }

  view(): ProviderView {
    const { kind } = this.#options;
    const links = this.#pool.links;
    const [first] = links;
    const pids = links.flatMap((link) => link.pid() ?? []);
    const server = first?.client.getServerVersion();
    const version = first?.client.getNegotiatedProtocolVersion();
    return {
      state: this.#state,
      transport: kind === "stdio" ? "stdio" : this.#options.transport,
      ...(this.#reason === undefined ? {} : { reason: this.#why() }),
      ...(server === undefined ? {} : { serverName: server.name, serverVersion: server.version }),
      ...(version === undefined ? {} : { protocolVersion: version }),
      since: this.#since,
      restarts: this.#restarts,
      connections: links.length,
      ...(pids.length === 0 ? {} : { pids }),
    };
  }

  #why(): string {
    const reason = this.#reason ?? "";
    return this.#state === "failed"
      ? `${reason}. ${this.pause > 0 ? this.#again() : "It is tried with the next request."}`
      : reason;
  }

  #enter(state: ProviderState, reason: string | undefined): void {
    this.#reason = reason;
    if (this.#state === state) return;
    this.#state = state;
    this.#since = Date.now();
    this.#listeners.onState();
  }

  #tell(severity: "info" | "warning", kind: string, message: string): void {
    this.#options.events.record({ severity, kind, message, data: { server: this.#options.name } });
  }

  /** Resolves when no process and no connection is left. */
  async close(): Promise<void> {
    if (!this.closed) {
      this.#closing.abort(closedError(this.#options.name));
      this.#enter("closed", undefined);
    }
    const links = [...this.#alive, ...this.#retired];
    for (const link of links) link.gone = true;
    await Promise.all([...links.map((link) => link.end()), ...this.#pool.opening()]);
  }
}

export const closedError = (name: string): OmniError =>
  new OmniError("mcp.closed", `MCP server ${name} is closed: the tool gateway has ended.`);
