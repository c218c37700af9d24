import type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";

import type { Caller } from "../keys/index.ts";
import type { PinRow } from "../store/index.ts";
import type { Answer, ProviderContext, ProviderView } from "./provider.ts";

/** By which way a request came: a server may be offered on some of them only. `inside` is a model's request with hosted tools. */
export type Channel = "http" | "sse" | "stdio" | "inside";

/** Who asks, and by which way. */
export interface Asker {
  readonly caller: Caller;
  readonly channel: Channel;
}

/** A request as a transport gives it to the hub. */
export type HubContext = Omit<ProviderContext, "caller" | "signal"> & {
  /** Aborts when the client cancels or is gone. The hub adds the time that the server may take. */
  readonly signal: AbortSignal;
};

/** What of the lists an asker sees changed; transports tell their clients. */
export type HubChange =
  | { readonly kind: "tools" | "resources" | "prompts" }
  | { readonly kind: "updated"; readonly uri: string };

/** A server as `/api/mcp/servers` and `omni mcp servers` show it. */
export interface HubServer extends ProviderView {
  readonly name: string;
  readonly enabled: boolean;
  /** Tools as last listed: offered, and set aside because their definitions changed. */
  readonly tools: number;
  readonly quarantined: number;
}

/** The definition of a tool that was accepted (canonical JSON and its SHA-256), and the one that is offered now. */
export interface Pin extends PinRow {
  /** Present while the server offers another definition: the tool is in quarantine. */
  readonly offered?: { readonly hash: string; readonly definition: string; readonly seen: number };
}

/** A call that waits for a person. */
export interface PendingApproval {
  readonly id: string;
  readonly key: string;
  readonly server: string;
  readonly tool: string;
  /** What it would be called with, for the person who decides; kept in memory only. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly asked: number;
  readonly until: number;
}

/** One call as the audit keeps it. */
export interface AuditEntry {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly request: string;
  readonly key: string;
  readonly channel: Channel;
  readonly server: string;
  /** `tools/call`, `resources/read`, `prompts/get`. */
  readonly method: string;
  /** Name of the tool or prompt, or the resource's address. */
  readonly name: string;
  /** Shape of the arguments: type and size by name, never a value. */
  readonly shape: string;
  readonly argumentBytes: number;
  readonly resultBytes: number;
  readonly outcome: "ok" | "error" | "refused" | "denied" | "cancelled" | "timeout" | "input";
  /** Code of a refusal or failure. */
  readonly code?: string;
  /** Milliseconds. */
  readonly duration: number;
  /** Who approved it, where approval was needed. */
  readonly approvedBy?: string;
  /** Only where the owner asked for it. */
  readonly contents?: { readonly arguments: string; readonly result: string };
}

export interface AuditQuery {
  readonly limit: number;
  /** Entries before this `seq`. */
  readonly before?: number;
  readonly key?: string;
  readonly server?: string;
  readonly outcome?: AuditEntry["outcome"];
}

/**
 * All servers as one: names with their server's before them, policy before every request, audit behind it. Names and
 * addresses are those that clients see. Refusals and failures reject with the SDK's `ProtocolError`, whose text says what,
 * why and what to do; a tool that fails, or whose call is refused, is a result with `isError`, so that the model reads why.
 */
export interface Hub {
  /** How to use what the asker has here. */
  instructions(asker: Asker): Promise<string>;
  /** What is there of each kind, over all servers that the asker may use. Never waits longer than a moment for a dead server. */
  tools(asker: Asker, signal: AbortSignal): Promise<readonly Tool[]>;
  resources(asker: Asker, signal: AbortSignal): Promise<readonly Resource[]>;
  templates(asker: Asker, signal: AbortSignal): Promise<readonly ResourceTemplateType[]>;
  prompts(asker: Asker, signal: AbortSignal): Promise<readonly Prompt[]>;
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    asker: Asker,
    context: HubContext,
  ): Promise<Answer<CallToolResult>>;
  readResource(uri: string, asker: Asker, context: HubContext): Promise<Answer<ReadResourceResult>>;
  getPrompt(
    name: string,
    args: Readonly<Record<string, string>>,
    asker: Asker,
    context: HubContext,
  ): Promise<Answer<GetPromptResult>>;
  complete(params: CompleteRequestParams, asker: Asker, context: HubContext): Promise<CompleteResult>;
  /** Throws what `readResource` would throw when the asker may not read it. The returned function ends it; a second call does nothing. */
  watch(uri: string, asker: Asker): Promise<() => void>;
  /** Tells what changed for this asker; `updated` only for what it watches. */
  onChange(asker: Asker, listener: (change: HubChange) => void): () => void;

  servers(): readonly HubServer[];
  /** Labels of the servers that the asker may use anything of. */
  serversOf(asker: Asker): readonly string[];
  /** Tools of one server by their own names, with whether a call would need approval. Rejects with `OmniError` when it cannot be reached. */
  toolsOf(
    server: string,
    asker: Asker,
    signal: AbortSignal,
  ): Promise<readonly { readonly tool: Tool; readonly needsApproval: boolean }[]>;
  /** Calls a tool of one server by its own name; `approved` says that the person at the client agreed already. */
  callToolOf(
    server: string,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    asker: Asker,
    context: HubContext & { readonly approved?: boolean },
  ): Promise<Answer<CallToolResult>>;

  pins(): readonly Pin[];
  /** Takes the offered definition as the good one. Throws `OmniError` `mcp.unknown-pin`, or `mcp.pin-moved` when `hash` is not what is offered now. */
  acceptPin(server: string, tool: string, hash: string, by: string): void;
  approvals(): readonly PendingApproval[];
  /** Throws `OmniError` `mcp.unknown-approval`. */
  decide(id: string, approve: boolean, by: string): void;
  audit(query: AuditQuery): readonly AuditEntry[];
  /** Tries a failed server again now. Throws `OmniError` `mcp.unknown-server`. */
  retry(server: string): void;
  close(): Promise<void>;
}
