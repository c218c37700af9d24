import type { CallToolResult } from "@modelcontextprotocol/server";

import type { HubContext } from "../hub.ts";
import type { Answer } from "../provider.ts";
import { type DirectCall, errorOf, isPlain, legacyAnswer, notificationText } from "./direct-call.ts";
import type { EndpointContext } from "./endpoint-context.ts";
import type { Exchange } from "./exchange.ts";
import { passedMeta } from "./hub-context.ts";
import { clientError } from "./hub-server.ts";
import type { Session } from "./session.ts";
import type { SessionTransport } from "./session-transport.ts";

/** A request within a session, and its id for audit and logs. */
interface SessionRequest {
  readonly session: Session;
  readonly transport: SessionTransport;
  readonly request: string;
}

/** The short way of a plain call within a session; it was checked as any other message of the session is. */
export function callInSession(
  { hub, log }: Pick<EndpointContext, "hub" | "log">,
  call: DirectCall,
  { session, transport, request }: SessionRequest,
  exchange: Exchange,
): void {
  const { id, name, args, progressToken } = call;
  const { stream, signal } = transport.call(id, exchange);
  const tell = (method: string, params: object): void => {
    if (!signal.aborted && transport.isRunning(id)) stream.send(notificationText(method, params));
  };
  const meta = passedMeta(call.meta);
  const level = session.logLevel();
  const context: HubContext = {
    request,
    signal,
    capabilities: session.capabilities() ?? {},
    ...(meta === undefined ? {} : { meta }),
    ...(level === undefined
      ? {}
      : { logLevel: level, onLog: (params) => tell("notifications/message", params) }),
    ...(progressToken === undefined
      ? {}
      : {
          onProgress: (progress) => tell("notifications/progress", { ...progress, progressToken }),
        }),
  };
  // A hub that throws at once fails the call, and nothing else.
  const answer = (async () => hub.callTool(name, args, session.asker, context))();
  answerCall(answer, call, { session, transport, request }, signal, log).catch((thrown: unknown) => {
    log(`MCP: ${request}: ${String(thrown)}`);
    exchange.destroy();
  });
}

async function answerCall(
  answer: Promise<Answer<CallToolResult>>,
  call: DirectCall,
  { session, transport, request }: SessionRequest,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const { id, name } = call;
  let text: string | undefined;
  try {
    const result = await answer;
    // What older clients only take as an object was told to be one, so that it has to be made one.
    const wrapped = isPlain(result) && result.structuredContent !== undefined && session.wraps(name);
    if (isPlain(result) && !wrapped) text = legacyAnswer(id, result);
  } catch (thrown) {
    if (signal.aborted) return;
    const error = errorOf(clientError(thrown, log));
    if (error !== undefined) text = JSON.stringify({ jsonrpc: "2.0", id, error });
  }
  if (signal.aborted) return;
  if (text === undefined) {
    session.note(id, request);
    session.answerWith(id, answer);
    transport.takeLongWay({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name, arguments: { ...call.args }, _meta: { ...call.meta } },
    });
  } else transport.answer(id, text);
}
