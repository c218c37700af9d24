import {
  AuthorizationServerMismatchError,
  IssuerMismatchError,
  OAuthError,
} from "@modelcontextprotocol/client";

import { OmniError } from "../../core/index.ts";
import { FetchFailure } from "./bounded-fetch.ts";

/** How a token request ended that gave no token. */
export interface Failure {
  /** `refused`: what was shown is no good, and asking again with it is in vain. */
  readonly kind: "refused" | "unreachable" | "mismatch" | "other";
  /** In words that hold nothing of what was sent or answered but a registered code. */
  readonly reason: string;
}

/** RFC 6749, 5.2: errors that asking again does not mend. */
const FINAL: ReadonlySet<string> = new Set(["invalid_grant", "invalid_client", "unauthorized_client"]);

/** What went wrong, without the texts of the other side: these may repeat secrets, or be written to deceive. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof FetchFailure) return { kind: "unreachable", reason: thrown.message };
  if (thrown instanceof IssuerMismatchError || thrown instanceof AuthorizationServerMismatchError) {
    return {
      kind: "mismatch",
      reason: "the answer names another authorization server than the one that was asked",
    };
  }
  if (thrown instanceof OAuthError) {
    const code = errorCode(thrown.code);
    if (FINAL.has(code)) return { kind: "refused", reason: `it answers ${code}` };
    const mayPass = code === "server_error" || code === "temporarily_unavailable";
    return { kind: mayPass ? "unreachable" : "other", reason: `it answers ${code}` };
  }
  return { kind: "other", reason: "its answer cannot be understood" };
}

/** An error code of OAuth, which is short and plain; anything else is not repeated. */
export const errorCode = (code: string): string =>
  /^[a-z][a-z_]{0,48}$/.test(code) ? code : "an error that is no code of OAuth";

/** The server wants a login that the node does not have. */
export const loginNeeded = (server: string, why: string): OmniError =>
  new OmniError(
    "mcp.login-needed",
    `MCP server "${server}" needs a login: ${why}; run ./omni mcp login ${server}.`,
    {
      hint: `./omni mcp login ${server}`,
    },
  );

/** The failure of asking `issuer` for a token, to whoever wanted it. */
export function tokenError(server: string, issuer: string, thrown: unknown): OmniError {
  if (thrown instanceof OmniError) return thrown;
  const { kind, reason } = failureOf(thrown);
  const code = kind === "unreachable" ? "mcp.issuer-unreachable" : "mcp.login-failed";
  return new OmniError(
    code,
    `The authorization server ${issuer} gave no token for MCP server "${server}": ${reason}.`,
  );
}
