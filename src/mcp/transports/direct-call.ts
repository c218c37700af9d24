import {
  type CallToolResult,
  isInputRequiredResult,
  type ProtocolError,
  type RequestId,
  SERVER_INFO_META_KEY,
} from "@modelcontextprotocol/server";

import type { Answer } from "../provider.ts";
import { ENVELOPE } from "./hub-context.ts";
import { withoutForeignInfo } from "./hub-server.ts";
import { isMembers, type Members, RPC } from "./json-rpc.ts";

/**
 * A `tools/call` of the plain form that nearly all have. These go to the hub without a server, a request object and schemas for each:
 * the same checks, the same answers, a fraction of the time. Whatever is not of this form takes the long way, which decides.
 */
export interface DirectCall {
  readonly id: RequestId;
  readonly name: string;
  readonly args: Members;
  /** Empty when the request has none. */
  readonly meta: Members;
  readonly progressToken: string | number | undefined;
}

const NONE: Members = {};
const URL_ELICITATION_REQUIRED = -32_042;

const isWhole = (value: unknown): value is string | number =>
  typeof value === "string" || (typeof value === "number" && Number.isSafeInteger(value));

/** Whether an object has no members but these, which are its own. */
function hasOnly(value: Members, ...names: readonly string[]): boolean {
  for (const name of Object.keys(value)) if (!names.includes(name)) return false;
  return true;
}

/** Reads a body as a plain call; undefined when it is anything else, or anything is odd about it. */
export function readCall(body: unknown): DirectCall | undefined {
  if (!isMembers(body) || body["method"] !== "tools/call" || body["jsonrpc"] !== "2.0") return undefined;
  const { id, params } = body;
  if (!isWhole(id) || !isMembers(params) || !hasOnly(body, "jsonrpc", "id", "method", "params"))
    return undefined;
  const { name, arguments: args = NONE, _meta: meta = NONE } = params;
  if (typeof name !== "string" || !isMembers(args) || !isMembers(meta)) return undefined;
  if (!hasOnly(params, "name", "arguments", "_meta")) return undefined;
  // What schemas would drop on the way must not come through on this one.
  if (Object.hasOwn(args, "__proto__") || Object.hasOwn(meta, "__proto__")) return undefined;
  const { progressToken } = meta;
  if (progressToken !== undefined && !isWhole(progressToken)) return undefined;
  return { id, name, args, meta, progressToken };
}

/** Whether `_meta` names anything of the protocol but these. */
export function hasOtherEnvelope(meta: Members, known: ReadonlySet<string>): boolean {
  for (const name of Object.keys(meta)) if (name.startsWith(ENVELOPE) && !known.has(name)) return true;
  return false;
}

/** Whether an answer can go out as it is; what asks the client, or is of a form that has to be changed, takes the long way. */
export const isPlain = (answer: Answer<CallToolResult>): answer is CallToolResult =>
  !isInputRequiredResult(answer) &&
  Array.isArray(answer.content) &&
  (answer.structuredContent === undefined || isMembers(answer.structuredContent));

/** The error of JSON-RPC for a failed call; undefined for one whose form depends on the era. */
export function errorOf(
  error: ProtocolError,
): { readonly code: number; readonly message: string; readonly data?: unknown } | undefined {
  if (error.code === URL_ELICITATION_REQUIRED) return undefined;
  // That a resource is not there is told as parameters that are wrong (SEP-2164).
  const code = error.code === -32_002 ? RPC.invalidParams : error.code;
  const { message, data } = error;
  return data === undefined ? { code, message } : { code, message, data };
}

/** The answer of the stateless era: that it is whole, and who gives it. */
export function modernAnswer(id: RequestId, result: CallToolResult, info: Members): string {
  const stamped = {
    ...result,
    resultType: "complete",
    _meta: { ...result._meta, [SERVER_INFO_META_KEY]: info },
  };
  return JSON.stringify({ jsonrpc: "2.0", id, result: stamped });
}

/** The answer of the eras with sessions. */
export function legacyAnswer(id: RequestId, result: CallToolResult): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result: withoutForeignInfo(result) });
}

/** A notification as text. */
export const notificationText = (method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", method, params });
