import type { EventLog } from "../../core/index.ts";
import { messageOf } from "../../core/index.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import type { Caller } from "../../keys/caller.ts";
import type { Call } from "../call.ts";
import type { AskInside } from "../inside-call.ts";
import type { PreparedResponse } from "../responses/prepare-response.ts";
import { newItemId } from "../responses/item-id.ts";
import { objectsOf } from "../responses/objects-of.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest, sendError } from "../wire-error.ts";
import { AnswerSink } from "./answer-sink.ts";
import { ChatDialogue } from "./chat-dialogue.ts";
import type { Dialogue } from "./dialogue.ts";
import { runHosted } from "./hosted-run.ts";
import { hostedServers } from "./hosted-servers.ts";
import { modelHistory } from "./model-history.ts";
import { clientFunctions } from "./offered-tools.ts";
import { ResponsesDialogue } from "./responses-dialogue.ts";
import type { ToolBounds } from "./tool-bounds.ts";
import { TOOL_BOUNDS } from "./tool-bounds.ts";
import type { ToolHost } from "./tool-host.ts";

/** What requests with hosted tools need of the gateway. */
export interface HostedTools {
  /** Absent until there are tool servers: such requests are refused by name then. */
  readonly host?: ToolHost;
  readonly ask: AskInside;
  readonly events: EventLog;
  readonly bounds?: Partial<ToolBounds>;
}

/** Answers a chat whose tools are run on the server's side. Resolves when the answer has ended, however it did. */
export function serveHostedChat(
  hosted: HostedTools,
  call: Call,
  caller: Caller,
  body: JsonObject,
): Promise<void> {
  if (typeof body["n"] === "number" && body["n"] > 1) {
    sendError(call, badRequest("unsupported_parameter", "n is 1 where tools run on the server's side.", "n"));
    return Promise.resolve();
  }
  const sink = new AnswerSink(call, body["stream"] === true);
  return serve(hosted, call, caller, body, sink, () => new ChatDialogue({ body, sink, newId: newItemId }));
}

/** Answers a request for a response whose tools are run on the server's side. Resolves when the answer has ended. */
export function serveHostedResponse(
  hosted: HostedTools,
  call: Call,
  caller: Caller,
  prepared: PreparedResponse,
): Promise<void> {
  const { body, remember } = prepared;
  const sink = new AnswerSink(call, body["stream"] === true);
  return serve(hosted, call, caller, body, sink, () => {
    const history = modelHistory(itemsOf(body));
    if ("status" in history) return history;
    const created = Math.floor(Date.now() / 1000);
    return new ResponsesDialogue({ body, history, sink, newId: newItemId, created, remember });
  });
}

/**
 * The body of a request for a response that has no hosted tools itself, with those of earlier responses written as calls of
 * functions, which every model understands.
 */
export function withoutHostedItems(body: JsonObject): JsonObject | WireError {
  const items = itemsOf(body);
  if (!items.some(({ type }) => typeof type === "string" && type.startsWith("mcp_"))) return body;
  const history = modelHistory(items);
  return "status" in history ? history : { ...body, input: history.items };
}

const itemsOf = (body: JsonObject): readonly JsonObject[] => objectsOf(body["input"]);

async function serve(
  hosted: HostedTools,
  call: Call,
  caller: Caller,
  body: JsonObject,
  sink: AnswerSink,
  open: () => Dialogue | WireError,
): Promise<void> {
  const { host, ask, events } = hosted;
  const servers = hostedServers(body, caller, host);
  if ("status" in servers) return sendError(call, servers);
  const dialogue = open();
  if ("status" in dialogue) return sendError(call, dialogue);
  if (host === undefined || call.res.destroyed) return undefined;
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Error("the client is gone"));
  call.res.once("close", leave);
  try {
    const refusal = await runHosted({
      host,
      ask,
      events,
      bounds: boundsFor(hosted, body),
      caller,
      id: call.id,
      servers,
      clientNames: clientFunctions(body),
      dialogue,
      stream: sink.stream,
      gone: gone.signal,
      ...depthOf(call),
    });
    if (refusal !== undefined && !gone.signal.aborted) sink.refuse(refusal);
  } catch (thrown) {
    if (gone.signal.aborted) return undefined;
    sink.refuse({ status: 502, type: "server_error", code: "tools_failed", message: messageOf(thrown) });
  } finally {
    call.res.off("close", leave);
  }
  return undefined;
}

/** Header of a request that was made within a chat over tools: how many of them. */
const DEPTH_HEADER = "x-omni-depth";

function depthOf({ req }: Call): { readonly depth?: number } {
  const said = req.headers[DEPTH_HEADER];
  return typeof said === "string" && /^\d{1,3}$/.test(said) ? { depth: Number(said) } : {};
}

/** `max_tool_calls` of a request for a response is the client's own bound. */
function boundsFor({ bounds }: HostedTools, body: JsonObject): ToolBounds {
  const all = { ...TOOL_BOUNDS, ...bounds };
  const most = body["max_tool_calls"];
  return typeof most === "number" && most >= 0 ? { ...all, calls: Math.min(all.calls, most) } : all;
}
