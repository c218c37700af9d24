import type { JsonObject } from "../../dialects/dialect.ts";
import type { Caller } from "../../keys/caller.ts";

/** A tool of a registered server, as MCP describes it. */
export interface HostedTool {
  /** Its own name, without the server's. */
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of its arguments. */
  readonly inputSchema: JsonObject;
  /** A call needs a person's approval: by the server's policy, or because it may destroy. */
  readonly needsApproval: boolean;
}

export interface ToolOutcome {
  /** Text parts joined; other parts named by their type. */
  readonly text: string;
  readonly isError: boolean;
}

export interface ToolCallContext {
  readonly caller: Caller;
  /** Id of the client's request, for the audit. */
  readonly request: string;
  readonly signal: AbortSignal;
  /** Most bytes of the outcome's text. */
  readonly maxBytes: number;
  /** The person at the client was asked about this very call and agreed. */
  readonly approved?: boolean;
  /** Chats over tools that the client's request is itself within, as it says; a chat that it calls is told so. */
  readonly depth?: number;
}

/** What the tool gateway offers to requests that run tools on the server's side. The caller's scopes hold here. */
export interface ToolHost {
  /** Labels of the registered servers that the caller may use. */
  servers(caller: Caller): readonly string[];
  /** Throws `OmniError` when the server is not there or cannot be reached. */
  list(server: string, caller: Caller, signal: AbortSignal): Promise<readonly HostedTool[]>;
  call(server: string, tool: string, args: JsonObject, context: ToolCallContext): Promise<ToolOutcome>;
}
