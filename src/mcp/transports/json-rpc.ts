import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/server";

/** Codes of JSON-RPC and of MCP's HTTP transports. */
export const RPC = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  /** Of the transport: missing session, content type, method of HTTP. */
  transport: -32_000,
  unknownSession: -32_001,
  headerMismatch: -32_020,
  missingCapability: -32_021,
  unsupportedVersion: -32_022,
} as const;

/** The revision of the stateless era that is served. */
export const MODERN = "2026-07-28";

/** An answer of the transport itself: status of HTTP and the error of JSON-RPC in it. */
export interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  readonly id?: RequestId | null;
}

/** The JSON of an error; `id` is null where it could not be read. */
export function errorText(refusal: Refusal): string {
  const { code, message, data } = refusal;
  return JSON.stringify({
    jsonrpc: "2.0",
    error: data === undefined ? { code, message } : { code, message, data },
    id: refusal.id ?? null,
  });
}

export type Members = Readonly<Record<string, unknown>>;

/** Whether it is an object with members: no array, not null. */
export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The id of a request whose error can name it; null when it has none. */
export function echoableId(body: unknown): RequestId | null {
  if (!isMembers(body) || typeof body["method"] !== "string") return null;
  const id = body["id"];
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** Whether a message ends a request: a result or an error. */
export const isAnswer = (message: JSONRPCMessage): message is JSONRPCMessage & { id: RequestId } =>
  !("method" in message);
