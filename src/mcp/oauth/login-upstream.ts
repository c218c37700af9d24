import { randomBytes } from "node:crypto";

import {
  exchangeAuthorization,
  registerClient,
  RegistrationRejectedError,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from "@modelcontextprotocol/client";
import type { AuthorizationServerMetadata } from "@modelcontextprotocol/client";

import { OmniError, present } from "../../core/index.ts";
import { findAuthorizationServer, requireSafe } from "./authorization-server.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { fetchOfServer, isSafeAddress } from "./bounded-fetch.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { ClientCredentials } from "./client-credentials.ts";
import { openLoopbackRedirect } from "./loopback-redirect.ts";
import type { LoopbackRedirect } from "./loopback-redirect.ts";
import { endOf } from "./token-age.ts";
import type { Grant } from "./token-store.ts";
import { requireClientId } from "./upstream-auth.ts";
import type { UpstreamAuthOptions } from "./upstream-auth.ts";
import { errorCode, tokenError } from "./upstream-failure.ts";

export interface LoginOptions extends UpstreamAuthOptions {
  /** Shows the address where the person logs in, or opens it. It holds no secret. */
  readonly open: (url: string) => void;
  /** Port on 127.0.0.1 where the browser comes back; a free one when absent. */
  readonly port?: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

type Client = Grant["client"];

/**
 * Logs in to an MCP server and stores what comes of it: as a person, by authorization code with PKCE and a browser, or as the
 * node itself where there is a client secret. What was stored of other issuers for this server is forgotten. Throws
 * `OmniError` (`mcp.login-failed`, `mcp.issuer-unreachable`, `mcp.unreachable`), or the signal's reason.
 */
export async function loginUpstream(options: LoginOptions): Promise<void> {
  const { server, url, clientId, clientSecret, store, signal } = options;
  requireSafe(options);
  const bounded = fetchOfServer(url, options.fetch);
  const fetch: Fetch = (address, init) => bounded(address, { ...init, signal });
  const found = await findAuthorizationServer(options, await challengeOf(options), fetch);
  signal.throwIfAborted();
  if (clientSecret === undefined) {
    const grant = await loginAsPerson(options, found, fetch);
    await store.write(grant);
  } else {
    const id = requireClientId(server, clientId);
    await new ClientCredentials({ ...options, clientId: id, clientSecret }).accept(found);
  }
  await store.forgetOthers(server, found.metadata.issuer);
}

/** The server's refusal of a request without a token, which says who issues them; its body is not read. */
async function challengeOf({
  server,
  url,
  signal,
  fetch = globalThis.fetch,
}: LoginOptions): Promise<Response> {
  try {
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    await response.body?.cancel();
    return response;
  } catch (thrown) {
    signal.throwIfAborted();
    throw new OmniError(
      "mcp.unreachable",
      `MCP server "${server}" at ${new URL(url).origin} cannot be reached.`,
      {
        cause: thrown,
      },
    );
  }
}

async function loginAsPerson(
  options: LoginOptions,
  found: AuthorizationServer,
  fetch: Fetch,
): Promise<Grant> {
  const { server, signal } = options;
  requirePkce(options, found.metadata);
  const redirect = await openLoopbackRedirect(options.port ?? 0);
  try {
    const scope = withOfflineAccess(found);
    const client = await clientFor(options, found.metadata, redirect.url, scope, fetch);
    const { query, verifier } = await askPerson(options, found, client, redirect, scope);
    return await exchange(options, found, { client, query, verifier, redirect: redirect.url, fetch });
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    throw tokenError(server, found.metadata.issuer, thrown);
  } finally {
    await redirect.close();
  }
}

/** MCP, authorization: a server that does not say that it knows PKCE does not get a code from us. */
function requirePkce({ server }: LoginOptions, metadata: AuthorizationServerMetadata): void {
  const { issuer, code_challenge_methods_supported: methods, authorization_endpoint: endpoint } = metadata;
  const fail = (why: string): OmniError =>
    new OmniError("mcp.login-failed", `The authorization server ${issuer} of MCP server "${server}" ${why}.`);
  if (methods?.includes("S256") !== true) {
    throw fail("does not say that it knows PKCE with S256 (code_challenge_methods_supported)");
  }
  if (!URL.canParse(endpoint) || !isSafeAddress(new URL(endpoint))) {
    throw fail("has no https address for logging in (authorization_endpoint)");
  }
}

/** OpenID Connect Core, 11: the scope for a refresh token, where the issuer knows it. */
function withOfflineAccess({ scope, metadata }: AuthorizationServer): string | undefined {
  if (scope === undefined || metadata.scopes_supported?.includes("offline_access") !== true) return scope;
  return scope.split(" ").includes("offline_access") ? scope : `${scope} offline_access`;
}

/** The owner's client id, or a registration for this login (RFC 7591) where the issuer takes any. */
async function clientFor(
  { server, clientId }: LoginOptions,
  metadata: AuthorizationServerMetadata,
  redirect: string,
  scope: string | undefined,
  fetch: Fetch,
): Promise<Client> {
  if (clientId !== undefined) return { id: clientId };
  const { issuer, registration_endpoint: endpoint } = metadata;
  const fail = (why: string): OmniError =>
    new OmniError("mcp.login-failed", `The authorization server ${issuer} ${why}.`, {
      hint: `Register a public client with redirect address http://127.0.0.1/callback there, and set tools.${server}.http.oauth.clientId.`,
    });
  if (endpoint === undefined) throw fail("registers no clients by itself");
  try {
    const given = await registerClient(issuer, {
      metadata,
      clientMetadata: {
        client_name: "Omni",
        redirect_uris: [redirect],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
        application_type: "native",
      },
      fetchFn: fetch,
      ...present({ scope }),
    });
    return { id: given.client_id, ...present({ secret: given.client_secret }) };
  } catch (thrown) {
    if (thrown instanceof RegistrationRejectedError)
      throw fail(`refuses to register a client (${thrown.status})`);
    throw thrown;
  }
}

/** Sends the person to the issuer, and waits for the browser that comes back from there. */
async function askPerson(
  { open, signal }: LoginOptions,
  { metadata, resource }: AuthorizationServer,
  client: Client,
  redirect: LoopbackRedirect,
  scope: string | undefined,
): Promise<{ readonly query: URLSearchParams; readonly verifier: string }> {
  const state = randomBytes(32).toString("base64url");
  const { authorizationUrl, codeVerifier } = await startAuthorization(metadata.issuer, {
    metadata,
    clientInformation: { client_id: client.id },
    redirectUrl: redirect.url,
    state,
    resource,
    ...present({ scope }),
  });
  const arrival = redirect.arrival(state, signal);
  open(authorizationUrl.href);
  return { query: await arrival, verifier: codeVerifier };
}

/** What an exchange needs beside the server and its issuer. */
interface Coming {
  readonly client: Client;
  readonly query: URLSearchParams;
  readonly verifier: string;
  readonly redirect: string;
  readonly fetch: Fetch;
}

async function exchange(
  { server, url, now = Date.now }: LoginOptions,
  { metadata, resource, scope }: AuthorizationServer,
  { client, query, verifier, redirect, fetch }: Coming,
): Promise<Grant> {
  const { issuer } = metadata;
  const iss = query.get("iss") ?? undefined;
  // Before anything else of the answer is looked at: another issuer's errors are not this one's (RFC 9207).
  validateAuthorizationResponseIssuer({
    iss,
    expectedIssuer: issuer,
    issParameterSupported: metadata.authorization_response_iss_parameter_supported === true,
  });
  const code = query.get("code");
  if (code === null) {
    const why = errorCode(query.get("error") ?? "");
    throw new OmniError("mcp.login-failed", `The login at ${issuer} was not completed: it answers ${why}.`);
  }
  const at = now();
  const given = await exchangeAuthorization(issuer, {
    metadata,
    clientInformation: { client_id: client.id, ...present({ client_secret: client.secret }) },
    authorizationCode: code,
    codeVerifier: verifier,
    redirectUri: redirect,
    resource,
    fetchFn: fetch,
    ...present({ iss }),
  });
  const tokens = {
    access: given.access_token,
    ...present({ refresh: given.refresh_token, expires: endOf(given.expires_in, at) }),
  };
  return { server, url, issuer, resource, obtained: at, client, tokens, ...present({ scope }) };
}
