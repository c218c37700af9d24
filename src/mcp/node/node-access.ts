import type { Diagnostic, EventLog } from "../../core/index.ts";
import type { Caller } from "../../keys/index.ts";
import type { Measurement, Requests } from "../../store/index.ts";
import type { RouteView } from "../../supervisor/backends.ts";
import type { ServiceView } from "../../supervisor/index.ts";
import type { ActionAnswer, ServiceAction } from "../../supervisor/service-control.ts";

/** A chat that a tool asks of the node, as its caller: the limits of that key hold. */
export interface ChatRequest {
  /** Body of `/v1/chat/completions`. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  /** Id of the request of MCP that it belongs to. */
  readonly request: string;
  readonly signal: AbortSignal;
  /** Chats that this one is within, itself included: tools that its model calls are told it as `omni/depth`. */
  readonly depth: number;
}

export interface ChatReply {
  readonly status: number;
  /** JSON: an answer, or an error in the gateway's envelope. */
  readonly body: Uint8Array;
}

/** The node as its tools see and order it. The composition gives it; tests put a small one in its place. */
export interface NodeAccess {
  services(): readonly ServiceView[];
  routes(): readonly RouteView[];
  /** Names of models that this caller may ask for, routes first. */
  modelsOf(caller: Caller): readonly string[];
  /** The plan in force, as `omni plan --json` prints one. */
  plan(): unknown;
  diagnostics(): readonly Diagnostic[];
  /** Cards and machine, as `/api/hardware` answers. */
  hardware(): unknown;
  readonly events: EventLog;
  /** What engines really took, newest first. */
  measurements(): readonly Measurement[];
  readonly requests: Pick<Requests, "latest">;
  ask(request: ChatRequest): Promise<ChatReply>;
  order(service: string, action: ServiceAction): ActionAnswer;
}
