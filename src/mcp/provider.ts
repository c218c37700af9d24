import type {
  CallToolResult,
  ClientCapabilities,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  InputRequiredResult,
  LoggingLevel,
  LoggingMessageNotificationParams,
  Progress,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";

import type { Caller } from "../keys/index.ts";

/** An answer, or what the client has to be asked before there can be one; it asks again with `inputResponses`. */
export type Answer<T> = T | InputRequiredResult;

/** What a request to a provider carries beside its own parameters. */
export interface ProviderContext {
  readonly caller: Caller;
  /** Id of the request, for audit and logs. */
  readonly request: string;
  /** Aborts when the client cancels or is gone, or the time of the call is up. */
  readonly signal: AbortSignal;
  /**
   * What the client of this very request can be asked. Holds `roots` only where the server's owner lets it ask for them:
   * what a client calls its roots must not widen what a server reaches.
   */
  readonly capabilities: ClientCapabilities;
  /** What the client answered to an earlier `InputRequiredResult`, by the names that were in it. From the client: unverified. */
  readonly inputResponses?: Readonly<Record<string, unknown>>;
  /** The state of that result, as the provider gave it; the gateway has verified that it was given to this caller for this call. */
  readonly requestState?: string;
  /** The least severe messages that the client wants of this call; none when absent. */
  readonly logLevel?: LoggingLevel;
  readonly onLog?: (message: LoggingMessageNotificationParams) => void;
  /** Absent when the client wants no progress. */
  readonly onProgress?: (progress: Progress) => void;
  /** Members of the request's `_meta` that belong to the server: trace context and what is nobody's in between. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

export type ProviderState =
  /** Not asked for yet. */
  | "idle"
  | "starting"
  | "ready"
  /** It failed and is tried again after a while, or with the next request. */
  | "failed"
  | "closed";

/** A provider as its owner sees it. */
export interface ProviderView {
  readonly state: ProviderState;
  /** `filesystem`, `postgres`, `node`, `stdio`, `streamable`, `sse`. */
  readonly transport: string;
  /** Why it is in this state, where that is not plain. No secret, no address with one. */
  readonly reason?: string;
  /** What it calls itself; never trusted for anything. */
  readonly serverName?: string;
  readonly serverVersion?: string;
  readonly protocolVersion?: string;
  /** Milliseconds since the epoch of the last change of `state`. */
  readonly since: number;
  readonly restarts: number;
  /** Processes or connections that it holds now. */
  readonly connections: number;
  readonly pids?: readonly number[];
}

export type ProviderChange =
  /** Its list is another one now. */
  | { readonly kind: "tools" | "resources" | "prompts" }
  /** A resource that somebody watches has other contents now. */
  | { readonly kind: "updated"; readonly uri: string }
  | { readonly kind: "state" };

/** What it has; an absent member means that it has none and need not be asked. */
export interface ProviderOffers {
  readonly tools: boolean;
  readonly resources: boolean;
  readonly prompts: boolean;
  readonly completions: boolean;
  readonly subscriptions: boolean;
  /** How to use it, in its own words; untrusted text when it is an upstream's. */
  readonly instructions?: string;
}

/**
 * A server behind the gateway: one of Omni's own, or an upstream one. Names and addresses are its own, without prefix.
 * Calls may run at the same time. All methods reject with `OmniError` (codes `mcp.*`) when the server cannot be reached or
 * does not answer in time, and with the SDK's `ProtocolError` when it answers with an error of the protocol, which goes to
 * the client as it is; a tool that fails is a result with `isError`.
 */
export interface Provider {
  /** Connects where that is needed. */
  offers(signal: AbortSignal): Promise<ProviderOffers>;
  tools(signal: AbortSignal): Promise<readonly Tool[]>;
  resources(signal: AbortSignal): Promise<readonly Resource[]>;
  templates(signal: AbortSignal): Promise<readonly ResourceTemplateType[]>;
  prompts(signal: AbortSignal): Promise<readonly Prompt[]>;
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    context: ProviderContext,
  ): Promise<Answer<CallToolResult>>;
  readResource(uri: string, context: ProviderContext): Promise<Answer<ReadResourceResult>>;
  getPrompt(
    name: string,
    args: Readonly<Record<string, string>>,
    context: ProviderContext,
  ): Promise<Answer<GetPromptResult>>;
  complete(params: CompleteRequestParams, context: ProviderContext): Promise<CompleteResult>;
  /** Tells of changes of this resource as `updated` until `unwatch`; counted by the gateway, called once for each address. */
  watch(uri: string): Promise<void>;
  unwatch(uri: string): Promise<void>;
  onChange(listener: (change: ProviderChange) => void): () => void;
  view(): ProviderView;
  /** Tries again now what has failed. */
  retry(): void;
  /** Ends every process and connection of it; rejects nothing. Later calls reject with `mcp.closed`. */
  close(): Promise<void>;
}
