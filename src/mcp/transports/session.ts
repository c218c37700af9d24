import { randomBytes } from "node:crypto";

import {
  type CallToolResult,
  type ClientCapabilities,
  isSpecType,
  type LoggingLevel,
  ProtocolError,
  type RequestId,
  type Server,
  type Tool,
  type Transport,
} from "@modelcontextprotocol/server";

import type { Caller } from "../../keys/index.ts";
import type { Asker, Channel, HubChange } from "../hub.ts";
import type { Answer } from "../provider.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import type { Origin, Origins } from "./hub-context.ts";
import { clientError, createHubServer } from "./hub-server.ts";
import { RPC } from "./json-rpc.ts";
import { MAX_WATCHED } from "./listen.ts";

/** What a client that never said what it wants to read of logs gets. */
const DEFAULT_LEVEL: LoggingLevel = "info";

/** An id nobody can guess: 192 bits, in letters that a header and an address can carry. */
export const newSessionId = (): string => randomBytes(24).toString("base64url");

/** A client with a session: its server, what it watches, and who it is. Ends once, and leaves nothing behind. */
export class Session implements Origins {
  readonly id: string;
  readonly server: Server;
  /** Called when it ended, by whatever way. */
  onEnd: (() => void) | undefined;
  readonly #context: Pick<EndpointContext, "hub" | "log">;
  readonly #channel: Channel;
  readonly #watched = new Map<string, () => void>();
  readonly #requests = new Map<RequestId, string>();
  readonly #first = new Map<RequestId, Promise<Answer<CallToolResult>>>();
  #schemas: ReadonlyMap<string, Tool["outputSchema"]> = new Map();
  #asker: Asker;
  #level: LoggingLevel = DEFAULT_LEVEL;
  #unsubscribe: (() => void) | undefined;
  #tellsAll = false;
  #ended = false;

  constructor(
    context: Pick<EndpointContext, "hub" | "log" | "version" | "roundTime">,
    id: string,
    asker: Asker,
    instructions: string,
  ) {
    this.#context = context;
    this.id = id;
    this.#asker = asker;
    this.#channel = asker.channel;
    const { hub, version, log, roundTime } = context;
    this.server = createHubServer(
      {
        hub,
        version,
        instructions,
        origins: this,
        roundTime,
        log,
        outputSchema: (tool) => this.#schemas.get(tool),
      },
      (tools) => this.#learn(tools),
    );
    this.#handleWatching();
    this.server.setRequestHandler("logging/setLevel", ({ params }) => {
      this.#level = params.level;
      return {};
    });
    Object.assign(this.server, {
      oninitialized: () => this.#subscribe(),
      onclose: () => this.#end(),
    });
  }

  get asker(): Asker {
    return this.#asker;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async connect(transport: Transport): Promise<void> {
    await this.server.connect(transport);
  }

  /** Takes over who asks now: a key's rules may be others than when the session began. */
  ask(caller: Caller): void {
    if (caller === this.#asker.caller) return;
    const changed = JSON.stringify(caller) !== JSON.stringify(this.#asker.caller);
    this.#asker = { caller, channel: this.#channel };
    if (changed && this.#unsubscribe !== undefined) {
      this.#unsubscribe();
      this.#unsubscribe = undefined;
      this.#subscribe();
    }
  }

  /** Which HTTP request a message came with, until it is answered. */
  note(id: RequestId, request: string): void {
    this.#requests.set(id, request);
  }

  readonly forget = (id: RequestId): void => {
    this.#requests.delete(id);
  };

  origin(id: RequestId): Origin {
    return { asker: this.#asker, request: this.#requests.get(id) ?? `${this.id.slice(0, 8)}-${id}` };
  }

  /** Whether results of a tool have another form for older clients than the one they have. */
  wraps(tool: string): boolean {
    return this.#schemas.has(tool);
  }

  /** The next call of this id has this answer at first. */
  answerWith(id: RequestId, answer: Promise<Answer<CallToolResult>>): void {
    this.#first.set(id, answer);
  }

  first(id: RequestId): Promise<Answer<CallToolResult>> | undefined {
    const answer = this.#first.get(id);
    this.#first.delete(id);
    return answer;
  }

  logLevel(): LoggingLevel | undefined {
    return this.#level;
  }

  capabilities(): ClientCapabilities | undefined {
    return this.server.getClientCapabilities();
  }

  /** Tells of every change from now on; whoever carries the messages leaves out what the client did not ask for. */
  tellAll(): void {
    this.#tellsAll = true;
    this.#subscribe();
  }

  /** Ends it: what runs is aborted, streams end, nothing is watched. */
  async end(): Promise<void> {
    await this.server.close();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
    this.#requests.clear();
    this.#first.clear();
    this.#schemas = new Map();
    this.onEnd?.();
  }

  #learn(tools: readonly Tool[]): void {
    const schemas = new Map<string, Tool["outputSchema"]>();
    // Only a root that is no object makes a difference to what older clients are sent.
    for (const { name, outputSchema } of tools) {
      if (outputSchema !== undefined && outputSchema["type"] !== "object") schemas.set(name, outputSchema);
    }
    this.#schemas = schemas;
  }

  #handleWatching(): void {
    const { hub, log } = this.#context;
    this.server.setRequestHandler("resources/subscribe", async ({ params: { uri } }) => {
      if (this.#watched.has(uri)) return {};
      if (this.#watched.size >= MAX_WATCHED) {
        throw new ProtocolError(
          RPC.invalidParams,
          `This session watches ${MAX_WATCHED} resources, which is the bound. Unsubscribe from one first.`,
        );
      }
      let stop: () => void;
      try {
        stop = await hub.watch(uri, this.#asker);
      } catch (thrown) {
        throw clientError(thrown, log);
      }
      if (this.#ended || this.#watched.has(uri)) stop();
      else this.#watched.set(uri, stop);
      return {};
    });
    this.server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
      this.#watched.get(uri)?.();
      this.#watched.delete(uri);
      return {};
    });
  }

  #subscribe(): void {
    if (this.#ended || this.#unsubscribe !== undefined) return;
    this.#unsubscribe = this.#context.hub.onChange(this.#asker, (change) => void this.#tell(change));
  }

  async #tell(change: HubChange): Promise<void> {
    try {
      if (change.kind === "updated") {
        if (this.#tellsAll || this.#watched.has(change.uri))
          await this.server.sendResourceUpdated({ uri: change.uri });
      } else if (change.kind === "tools") await this.server.sendToolListChanged();
      else if (change.kind === "prompts") await this.server.sendPromptListChanged();
      else await this.server.sendResourceListChanged();
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Whether a message opens a session. */
export const opensSession = (message: unknown): boolean => isSpecType.InitializeRequest(message);
