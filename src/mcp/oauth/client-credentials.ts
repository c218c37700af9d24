import { ClientCredentialsProvider, fetchToken } from "@modelcontextprotocol/client";
import type { AuthProvider } from "@modelcontextprotocol/client";

import { OmniError, present } from "../../core/index.ts";
import { findAuthorizationServer, metadataOf, requireSafe } from "./authorization-server.ts";
import type { AuthorizationServer, ProtectedServer } from "./authorization-server.ts";
import { fetchOfServer } from "./bounded-fetch.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { endOf, isEnding } from "./token-age.ts";
import type { Grant, TokenStore } from "./token-store.ts";
import { tokenError } from "./upstream-failure.ts";

export interface ClientCredentialsOptions extends ProtectedServer {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly store: TokenStore;
  readonly now?: () => number;
  readonly fetch?: Fetch;
}

interface Held {
  readonly access: string;
  readonly obtained: number;
  readonly expires?: number;
}

/** A server's refusal of a token, as a transport tells of it. */
type Refused = Parameters<NonNullable<AuthProvider["onUnauthorized"]>>[0];

/** Milliseconds in which a new token is not replaced by another one because of requests that left with the old one. */
const SETTLED = 5000;

/**
 * A node as itself towards a server (RFC 6749, 4.4): its secret for a token whenever one is needed. The first issuer that
 * the server names is written down; the secret goes to no other one afterwards. Tokens stay in memory.
 */
export class ClientCredentials implements AuthProvider {
  readonly #options: ClientCredentialsOptions;
  readonly #now: () => number;
  readonly #fetch: Fetch;
  #held: Held | undefined;
  #replacedAt = -Infinity;
  #running: Promise<Held> | undefined;

  constructor(options: ClientCredentialsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#fetch = fetchOfServer(options.url, options.fetch);
  }

  async token(): Promise<string | undefined> {
    requireSafe(this.#options);
    const held = this.#held;
    if (held !== undefined && !isEnding(held, this.#now())) return held.access;
    const pin = await this.#pinned();
    // Without one, the server's refusal will say who issues its tokens.
    return pin === undefined ? undefined : (await this.#renewed(() => this.#again(pin))).access;
  }

  async onUnauthorized({ response }: Refused): Promise<void> {
    requireSafe(this.#options);
    if (this.#now() - this.#replacedAt < SETTLED) return;
    await this.#renewed(async () => {
      const found = await findAuthorizationServer(this.#options, response, this.#fetch);
      const pin = await this.#pinned();
      if (pin === undefined) return await this.accept(found);
      if (pin.issuer !== found.metadata.issuer) throw this.#moved(pin.issuer, found.metadata.issuer);
      return await this.#ask(found);
    });
  }

  /** Gets a token of this issuer and writes down that it is the one whose the secret is. Throws `OmniError`. */
  async accept(found: AuthorizationServer): Promise<Held> {
    const { server, url, clientId, store } = this.#options;
    const held = await this.#ask(found);
    await store.write({
      server,
      url,
      issuer: found.metadata.issuer,
      resource: found.resource,
      obtained: held.obtained,
      client: { id: clientId },
      ...present({ scope: found.scope }),
    });
    return held;
  }

  /** Who got a secret under this client id before. Another id is another registration. */
  async #pinned(): Promise<Grant | undefined> {
    const { server, url, clientId, store } = this.#options;
    const grant = await store.latest(server, url);
    return grant?.client.id === clientId ? grant : undefined;
  }

  async #again({ issuer, resource, scope }: Grant): Promise<Held> {
    const { server, scopes } = this.#options;
    const metadata = await metadataOf(issuer, this.#fetch).catch((thrown: unknown) => {
      throw tokenError(server, issuer, thrown);
    });
    return await this.#ask({ metadata, resource, ...present({ scope: scopes?.join(" ") ?? scope }) });
  }

  async #ask({ metadata, resource, scope }: AuthorizationServer): Promise<Held> {
    const { server, clientId, clientSecret } = this.#options;
    const { issuer } = metadata;
    const provider = new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: issuer });
    const now = this.#now();
    try {
      const given = await fetchToken(provider, issuer, {
        metadata,
        resource,
        fetchFn: this.#fetch,
        ...present({ scope }),
      });
      const held = {
        access: given.access_token,
        obtained: now,
        ...present({ expires: endOf(given.expires_in, now) }),
      };
      if (this.#held !== undefined) this.#replacedAt = now;
      this.#held = held;
      return held;
    } catch (thrown) {
      throw tokenError(server, issuer, thrown);
    }
  }

  /** One question at a time, whoever waits for its answer. */
  #renewed(ask: () => Promise<Held>): Promise<Held> {
    this.#running ??= ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #moved(before: string, after: string): OmniError {
    const { server } = this.#options;
    return new OmniError(
      "mcp.issuer-changed",
      `MCP server "${server}" now names ${after} as its authorization server; the client secret belongs to ${before} and was not sent.`,
      { hint: `If that is right, accept it with ./omni mcp login ${server}.` },
    );
  }
}
