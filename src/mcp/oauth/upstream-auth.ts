import type { AuthProvider } from "@modelcontextprotocol/client";

import { OmniError } from "../../core/index.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { ClientCredentials } from "./client-credentials.ts";
import { StoredLogin } from "./stored-login.ts";
import type { TokenStore } from "./token-store.ts";

export { openTokenStore } from "./token-store.ts";

export interface UpstreamAuthOptions {
  /** Its name in the spec. */
  readonly server: string;
  readonly url: string;
  readonly clientId?: string;
  /** Given, the node asks for tokens as itself; otherwise as the person who logged in. */
  readonly clientSecret?: string;
  readonly scopes?: readonly string[];
  readonly store: TokenStore;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly fetch?: Fetch;
}

/**
 * What gives a transport the tokens of one MCP server. Never opens a browser; it rejects with `OmniError`
 * (`mcp.login-needed`, `mcp.login-failed`, `mcp.issuer-changed`, `mcp.issuer-unreachable`). Throws `mcp.login-failed` for a secret
 * without a client id.
 */
export function createUpstreamAuth(options: UpstreamAuthOptions): AuthProvider {
  const { clientSecret, clientId, server } = options;
  if (clientSecret === undefined) return new StoredLogin(options);
  return new ClientCredentials({ ...options, clientSecret, clientId: requireClientId(server, clientId) });
}

/** Throws `OmniError` `mcp.login-failed` when there is none. */
export function requireClientId(server: string, clientId: string | undefined): string {
  if (clientId !== undefined) return clientId;
  throw new OmniError(
    "mcp.login-failed",
    `tools.${server}.http.oauth has a clientSecret and no clientId; the authorization server gave both.`,
    { hint: `Set tools.${server}.http.oauth.clientId.` },
  );
}
