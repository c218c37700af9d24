import { refreshAuthorization } from "@modelcontextprotocol/client";
import type { AuthProvider } from "@modelcontextprotocol/client";

import { OmniError, present } from "../../core/index.ts";
import { metadataOf, requireSafe } from "./authorization-server.ts";
import type { ProtectedServer } from "./authorization-server.ts";
import { fetchOfServer } from "./bounded-fetch.ts";
import type { Fetch } from "./bounded-fetch.ts";
import { endOf, isEnding } from "./token-age.ts";
import type { Grant, GrantTokens, TokenStore } from "./token-store.ts";
import { failureOf, loginNeeded, tokenError } from "./upstream-failure.ts";

export interface StoredLoginOptions extends ProtectedServer {
  readonly store: TokenStore;
  readonly now?: () => number;
  readonly fetch?: Fetch;
}

/** A grant that has tokens. */
type Login = Grant & { readonly tokens: GrantTokens };

/** Milliseconds in which new tokens are not replaced because of requests that left with the old ones. */
const SETTLED = 5000;

/**
 * A person's login to a server, as `omni mcp login` left it: its access token, and another one by its refresh token before it
 * ends or when it is refused. Refreshing is done once for all who wait. The refresh token goes to the issuer that gave it,
 * whatever the server says meanwhile. Never opens a browser: without a good login it fails with `mcp.login-needed`.
 */
export class StoredLogin implements AuthProvider {
  readonly #options: StoredLoginOptions;
  readonly #now: () => number;
  readonly #fetch: Fetch;
  #login: Login | undefined;
  #lookedAt = -Infinity;
  #renewedAt = -Infinity;
  #running: Promise<Login> | undefined;

  constructor(options: StoredLoginOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#fetch = fetchOfServer(options.url, options.fetch);
  }

  async token(): Promise<string> {
    requireSafe(this.#options);
    const login = await this.#current();
    const life = { obtained: login.obtained, expires: login.tokens.expires };
    if (!isEnding(life, this.#now())) return login.tokens.access;
    try {
      return (await this.#renewed(login)).tokens.access;
    } catch (thrown) {
      const isGood = login.tokens.expires !== undefined && this.#now() < login.tokens.expires;
      const mayPass = thrown instanceof OmniError && thrown.code === "mcp.issuer-unreachable";
      if (isGood && mayPass) return login.tokens.access;
      throw thrown;
    }
  }

  async onUnauthorized(): Promise<void> {
    requireSafe(this.#options);
    if (this.#now() - this.#renewedAt < SETTLED) return;
    await this.#renewed(await this.#current());
  }

  /** The login there is; that somebody logged in anew, or out, is seen within 5 s of use. */
  async #current(): Promise<Login> {
    const now = this.#now();
    if (this.#login === undefined || Math.abs(now - this.#lookedAt) >= SETTLED) {
      this.#lookedAt = now;
      this.#login = await this.#stored();
    }
    if (this.#login === undefined) throw loginNeeded(this.#options.server, "nobody has logged in yet");
    return this.#login;
  }

  async #stored(): Promise<Login | undefined> {
    const { server, url, store } = this.#options;
    const grant = await store.latest(server, url);
    return grant?.tokens === undefined ? undefined : { ...grant, tokens: grant.tokens };
  }

  #renewed(login: Login): Promise<Login> {
    this.#running ??= this.#renew(login).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #renew(old: Login): Promise<Login> {
    const { server, store } = this.#options;
    const before = await this.#newer(old);
    if (before !== undefined) return this.#take(before);
    if (old.tokens.refresh === undefined) {
      this.#login = undefined;
      throw loginNeeded(server, "the access token has ended, and the login came without a refresh token");
    }
    try {
      const fresh = await this.#refresh(old, old.tokens.refresh);
      // Who logged in meanwhile knows better than what this one asked with the old login.
      const meanwhile = await this.#newer(old);
      if (meanwhile !== undefined) return this.#take(meanwhile);
      await store.write(fresh);
      return this.#take(fresh);
    } catch (thrown) {
      if (failureOf(thrown).kind !== "refused") throw tokenError(server, old.issuer, thrown);
      const meanwhile = await this.#newer(old);
      if (meanwhile !== undefined) return this.#take(meanwhile);
      this.#login = undefined;
      await store.forget(server, old.issuer);
      throw loginNeeded(server, `its authorization server ${old.issuer} no longer accepts the one there was`);
    }
  }

  /** What another process has written since. */
  async #newer(old: Login): Promise<Login | undefined> {
    const stored = await this.#stored();
    return stored === undefined || stored.tokens.access === old.tokens.access ? undefined : stored;
  }

  #take(login: Login): Login {
    this.#login = login;
    this.#renewedAt = this.#now();
    return login;
  }

  async #refresh(old: Login, refreshToken: string): Promise<Login> {
    const { issuer, client, resource } = old;
    const metadata = await metadataOf(issuer, this.#fetch);
    const now = this.#now();
    const given = await refreshAuthorization(issuer, {
      metadata,
      clientInformation: { client_id: client.id, ...present({ client_secret: client.secret }) },
      refreshToken,
      resource,
      fetchFn: this.#fetch,
    });
    const tokens = {
      access: given.access_token,
      ...present({ refresh: given.refresh_token, expires: endOf(given.expires_in, now) }),
    };
    return { ...old, obtained: now, tokens };
  }
}
