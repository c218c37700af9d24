import type { CallToolResult } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import { sizeOf } from "./list-bounds.ts";
import { visible } from "../approvals/visible-text.ts";

/** Bytes of an error of an upstream server that are passed on. */
const MOST_ERROR = 64 * 1024;
/** Characters of a name that an answer repeats. */
const MOST_NAME = 128;

/** A result that tells the model why there is none. */
export const failedTool = (error: OmniError): CallToolResult => ({
  content: [{ type: "text", text: `${error.message} ${error.hint} (${error.code})` }],
  isError: true,
});

/** What is not there and what may not be used answer alike: nobody learns by asking which of the two it is. */
export const unknownTool = (name: string): ProtocolError =>
  new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${visible(name, MOST_NAME)}`);

export const unknownPrompt = (name: string): ProtocolError =>
  new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${visible(name, MOST_NAME)}`);

export const unknownResource = (uri: string): ProtocolError =>
  new ResourceNotFoundError(uri.slice(0, 2048), "Resource not found");

/** A refusal or failure where the protocol has no result that could say so. */
export const protocolErrorOf = (error: OmniError): ProtocolError =>
  new ProtocolError(
    error.code === "mcp.arguments-too-large"
      ? ProtocolErrorCode.InvalidParams
      : ProtocolErrorCode.InternalError,
    `${error.message} ${error.hint} (${error.code})`,
    { code: error.code },
  );

/** What was thrown, as an error of Omni or of the protocol; anything else says no more than that it happened. */
export function failureOf(thrown: unknown, server: string): OmniError | ProtocolError {
  if (thrown instanceof OmniError) return thrown;
  if (ProtocolError.isInstance(thrown)) return bounded(thrown);
  return new OmniError("mcp.server-failed", `The MCP server ${server} failed unexpectedly.`, {
    cause: thrown,
  });
}

/** An error of the protocol goes to the client as it is, unless it is so large that it would break the link. */
function bounded(error: ProtocolError): ProtocolError {
  const size = sizeOf([error.message, error.data]);
  if (size !== undefined && size <= MOST_ERROR) return error;
  return new ProtocolError(error.code, error.message.slice(0, 4096));
}

/** The code of a failure as the audit keeps it. */
export const codeOf = (error: OmniError | ProtocolError): string =>
  error instanceof OmniError ? error.code : String(error.code);
