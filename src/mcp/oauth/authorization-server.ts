import {
  checkResourceAllowed,
  discoverAuthorizationServerMetadata,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
  resourceUrlFromServerUrl,
} from "@modelcontextprotocol/client";
import type { AuthorizationServerMetadata } from "@modelcontextprotocol/client";

import { OmniError, present } from "../../core/index.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { isSafeAddress } from "./bounded-fetch.ts";
import { shownText } from "./token-refusal.ts";
import { failureOf } from "./upstream-failure.ts";

/** An MCP server whose tokens are wanted. */
export interface ProtectedServer {
  /** Its name in the spec. */
  readonly server: string;
  readonly url: string;
  /** Scopes that its owner named. */
  readonly scopes?: readonly string[];
}

/** Who issues tokens for a server, and what to ask for. */
export interface AuthorizationServer {
  readonly metadata: AuthorizationServerMetadata;
  /** RFC 8707: what the token is for. */
  readonly resource: string;
  readonly scope?: string;
}

/** Throws `OmniError` `mcp.login-failed` for an address where others could read the token on its way. */
export function requireSafe({ server, url }: ProtectedServer): void {
  if (isSafeAddress(new URL(url))) return;
  const { origin } = new URL(url);
  throw new OmniError(
    "mcp.login-failed",
    `tools.${server}.http.url is ${origin}: without TLS its token could be read on the way, so none is sent.`,
    { hint: "Give its https address, or put a proxy with TLS before it." },
  );
}

/**
 * Finds who issues tokens for a server, from its answer 401 (RFC 9728) or from the well-known place. Throws `OmniError`
 * (`mcp.issuer-unreachable`, `mcp.login-failed`).
 */
export async function findAuthorizationServer(
  target: ProtectedServer,
  challenge: Response | undefined,
  fetch: Fetch,
): Promise<AuthorizationServer> {
  const { server, url, scopes } = target;
  const asked = challenge === undefined ? {} : extractWWWAuthenticateParams(challenge);
  // Only the server's own word counts for who may issue its tokens.
  const told =
    asked.resourceMetadataUrl?.origin === new URL(url).origin ? asked.resourceMetadataUrl : undefined;
  const fail = (reason: string, code: "mcp.issuer-unreachable" | "mcp.login-failed" = "mcp.login-failed") =>
    new OmniError(code, `Who issues tokens for MCP server "${server}" cannot be found: ${reason}.`);
  const found = await discoverOAuthServerInfo(url, {
    fetchFn: fetch,
    ...present({ resourceMetadataUrl: told }),
  }).catch((thrown: unknown) => {
    const { kind, reason } = failureOf(thrown);
    throw fail(reason, kind === "unreachable" ? "mcp.issuer-unreachable" : "mcp.login-failed");
  });
  const { authorizationServerMetadata: metadata, resourceMetadata, authorizationServerUrl } = found;
  if (metadata === undefined) {
    throw fail(`${shownText(authorizationServerUrl)} has no metadata (RFC 8414)`);
  }
  const own = resourceUrlFromServerUrl(url);
  const named = resourceMetadata?.resource;
  if (named !== undefined && !checkResourceAllowed({ requestedResource: own, configuredResource: named })) {
    throw fail(`its metadata is of another resource, "${shownText(named)}"`);
  }
  const scope = scopes?.join(" ") ?? asked.scope ?? resourceMetadata?.scopes_supported?.join(" ");
  return {
    metadata,
    resource: named ?? own.href,
    ...present({ scope: scope === "" ? undefined : scope }),
  };
}

/** Metadata of an issuer that is known. Rejects with what the bounded fetch or the SDK throws. */
export async function metadataOf(issuer: string, fetch: Fetch): Promise<AuthorizationServerMetadata> {
  const metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn: fetch });
  if (metadata === undefined) throw new Error("no metadata");
  return metadata;
}
