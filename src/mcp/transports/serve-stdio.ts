import type { Readable, Writable } from "node:stream";

import { isSpecType, type JSONRPCMessage, type RequestId } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

import type { Asker, Hub } from "../hub.ts";
import { MAX_WATCHED } from "./listen.ts";
import { newSessionId, Session } from "./session.ts";
import { StdioWire } from "./stdio-wire.ts";

export interface McpStdioOptions {
  readonly hub: Hub;
  /** Whose rights the client has; its channel is `stdio`. */
  readonly asker: Asker;
  /** Of Omni, for `serverInfo`. */
  readonly version: string;
  readonly input: Readable;
  readonly output: Writable;
  /** Bytes of one message at most, in either direction: clients close at 10 MiB. */
  readonly maxMessage: number;
  /** How long a client may take for one question of a server, in milliseconds; ten minutes when absent. */
  readonly roundTime?: number;
  readonly log?: (line: string) => void;
}

/** MCP over two streams, until the input ends or it is closed. */
export interface McpStdio {
  /** Resolves when it has ended and the output is flushed; never rejects. */
  readonly done: Promise<void>;
  /** Aborts what runs and ends it; the streams stay open. */
  close(): Promise<void>;
}

const ROUND_TIME_MS = 600_000;

/** What a client of the stateless era watches over the one connection, by the request that asked for it. */
class StdioWatches {
  readonly #hub: Hub;
  readonly #asker: Asker;
  readonly #stops = new Map<RequestId, (() => void)[]>();
  #over = false;

  constructor(hub: Hub, asker: Asker) {
    this.#hub = hub;
    this.#asker = asker;
  }

  /** Begins or ends to watch what a message is about; the answers to it are the SDK's. */
  readonly see = (message: JSONRPCMessage): void => {
    if (!("method" in message)) return;
    if (message.method === "notifications/cancelled") {
      const id = message.params?.["requestId"];
      if (typeof id === "string" || typeof id === "number") this.#end(id);
    } else if (message.method === "subscriptions/listen" && "id" in message) {
      const filter = message.params?.["notifications"];
      const uris = isSpecType.SubscriptionFilter(filter) ? (filter.resourceSubscriptions ?? []) : [];
      for (const uri of uris.slice(0, MAX_WATCHED)) void this.#watch(message.id, uri);
    }
  };

  close(): void {
    this.#over = true;
    for (const id of this.#stops.keys()) this.#end(id);
  }

  async #watch(id: RequestId, uri: string): Promise<void> {
    const stops = this.#stops.get(id) ?? [];
    this.#stops.set(id, stops);
    try {
      const stop = await this.#hub.watch(uri, this.#asker);
      if (this.#over || this.#stops.get(id) !== stops) stop();
      else stops.push(stop);
    } catch {
      // It may not read it, or it is not there: nothing will be told of it.
    }
  }

  #end(id: RequestId): void {
    for (const stop of this.#stops.get(id) ?? []) stop();
    this.#stops.delete(id);
  }
}

/** Serves one client over two streams, of whatever era its first message is. */
export function serveMcpStdio(options: McpStdioOptions): McpStdio {
  const { hub, asker, version, input, output, maxMessage } = options;
  const log = options.log ?? (() => undefined);
  const roundTime = options.roundTime ?? ROUND_TIME_MS;
  const watches = new StdioWatches(hub, asker);
  const sessions = new Set<Session>();
  const { promise, resolve } = Promise.withResolvers<void>();
  const onClosed = (): void => {
    watches.close();
    const ends = [...sessions].map((session) => session.end());
    void Promise.all(ends)
      .then(() => wire.flushed())
      .then(resolve, resolve);
  };
  const wire = new StdioWire({ input, output, maxMessage, log, onReceived: watches.see, onClosed });
  const handle = serveStdio(
    async ({ era }) => {
      const instructions = await hub.instructions(asker).catch(() => "");
      const session = new Session({ hub, version, roundTime, log }, newSessionId(), asker, instructions);
      sessions.add(session);
      if (era === "modern") session.tellAll();
      return session.server;
    },
    { transport: wire, onerror: (error) => log(`MCP: ${error.message}`) },
  );
  return {
    done: promise,
    async close() {
      await handle.close();
      await wire.close();
      await promise;
    },
  };
}
