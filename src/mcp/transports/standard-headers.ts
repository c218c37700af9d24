import type { IncomingHttpHeaders } from "node:http";

import { isMembers, type Members, type Refusal, RPC } from "./json-rpc.ts";
import { headerOf } from "./mcp-request.ts";

/** Which parameter the `Mcp-Name` header repeats, by method (SEP-2243, SEP-2663). */
const NAME_SOURCE: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
  ["tasks/get", "taskId"],
  ["tasks/update", "taskId"],
  ["tasks/cancel", "taskId"],
]);

const SENTINEL = /^=\?base64\?(.*)\?=$/u;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;

/** A header's value, decoded where it is wrapped in base64; undefined when the wrapping is broken. */
export function decodeHeader(value: string): string | undefined {
  const wrapped = SENTINEL.exec(value)?.[1];
  if (wrapped === undefined) return value;
  if (!BASE64.test(wrapped)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(wrapped, "base64"));
  } catch {
    return undefined;
  }
}

/** That headers and body do not say the same: -32020. Who routes by headers and who acts by the body must not be told two things. */
export const mismatch = (header: string, why: string): Refusal => ({
  status: 400,
  code: RPC.headerMismatch,
  message: `Bad Request: the request headers and body disagree: ${why}`,
  data: { mismatch: { header, body: why } },
});

/**
 * What is wrong with the headers that a request of the stateless era must repeat its body in (SEP-2243); undefined when nothing is.
 * That `Mcp-Method` and the version name what the body names was checked with the body's kind.
 */
export function checkStandardHeaders(
  headers: IncomingHttpHeaders,
  method: string,
  params: unknown,
  revision: string,
): Refusal | undefined {
  if (headerOf(headers, "mcp-protocol-version") === undefined) {
    return mismatch(
      "(missing)",
      `the body envelope names protocol version ${revision} but the required MCP-Protocol-Version header is absent`,
    );
  }
  if (headerOf(headers, "mcp-method") === undefined) {
    return mismatch(
      "(missing)",
      `the body names method ${method} but the required Mcp-Method header is absent`,
    );
  }
  return checkName(headers, method, isMembers(params) ? params : {});
}

function checkName(headers: IncomingHttpHeaders, method: string, params: Members): Refusal | undefined {
  const field = NAME_SOURCE.get(method);
  if (field === undefined) return undefined;
  const named = params[field];
  const value = typeof named === "string" ? named : undefined;
  const header = headerOf(headers, "mcp-name")?.replaceAll(/^[\t ]+|[\t ]+$/gu, "");
  if (header === undefined) {
    return value === undefined
      ? undefined
      : mismatch(
          "(missing)",
          `the body carries params.${field}="${value}" but the required Mcp-Name header is absent`,
        );
  }
  const decoded = decodeHeader(header);
  if (decoded === undefined) {
    return mismatch(header, "the Mcp-Name header carries an invalid Base64 sentinel value");
  }
  return value === undefined || decoded === value
    ? undefined
    : mismatch(
        header,
        `the body carries params.${field}="${value}" but the Mcp-Name header names "${decoded}"`,
      );
}
