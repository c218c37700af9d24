import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

import { SigningKeyRing } from "./signing-key-ring.ts";

/** How the server misbehaves; everything absent is as the standards want it. */
export interface Misbehaviour {
  jwks?: "down" | "oversize" | "redirect" | "not-json" | "secret";
  /** Issuer in its metadata that is not its own. */
  metadataIssuer?: string;
  jwksUri?: string;
  /** `iss` of authorization responses: another one, or none (`null`). */
  iss?: string | null;
  /** Says nothing of PKCE. */
  noPkce?: boolean;
  noRegistration?: boolean;
  /** Answers every authorization request with this error. */
  authorizationError?: string;
  /** Refuses every refresh token as if it were revoked. */
  revoked?: boolean;
  /** Answers token requests with an error whose description repeats all that it was sent. */
  echo?: boolean;
  tokenDown?: boolean;
}

export interface AuthorizationServerOptions {
  /** Path of the issuer, such as `/realms/home`. */
  readonly path?: string;
  /** Where its metadata are. */
  readonly metadata?: "oauth" | "openid-before" | "openid-behind";
  /** Clients with a secret, by id. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Seconds that its access tokens live. */
  readonly lifetime?: number;
}

interface Code {
  readonly client: string;
  readonly redirect: string;
  readonly challenge: string;
  readonly resource: string;
  readonly scope: string;
}

interface Refresh {
  readonly client: string;
  readonly resource: string;
  readonly scope: string;
}

/**
 * A real authorization server on loopback: metadata (RFC 8414 or OpenID Connect Discovery), keys that rotate, registration,
 * authorization code with PKCE S256 and RFC 9207, client credentials, refresh tokens that are good once, RFC 8707.
 */
export class AuthorizationServer implements AsyncDisposable {
  readonly misbehaviour: Misbehaviour = {};
  /** `METHOD /path` of every request. */
  readonly seen: string[] = [];
  /** Parameters of every token request, with `authorization` where that header was sent. */
  readonly tokenRequests: Record<string, string>[] = [];
  readonly ring: SigningKeyRing;
  /** Its own name: an address on loopback with the path of the options. */
  readonly issuer: string;
  readonly #options: AuthorizationServerOptions;
  readonly #server: ReturnType<typeof createServer>;
  readonly #codes = new Map<string, Code>();
  readonly #refresh = new Map<string, Refresh>();

  private constructor(
    options: AuthorizationServerOptions,
    server: ReturnType<typeof createServer>,
    ring: SigningKeyRing,
  ) {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    this.#options = options;
    this.#server = server;
    this.ring = ring;
    this.issuer = `http://127.0.0.1:${address.port}${options.path ?? ""}`;
  }

  static async start(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
    const ring = await SigningKeyRing.create();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const self = new AuthorizationServer(options, server, ring);
    server.on("request", (req, res) => void self.#serve(req, res));
    return self;
  }

  /** Times that its keys were asked for. */
  get keyFetches(): number {
    return this.seen.filter((line) => line.endsWith("/jwks")).length;
  }

  /** An access token as RFC 9068 wants it, but for what `claims` and `header` change; a claim of `undefined` is left out. */
  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = {
      iss: this.issuer,
      sub: "ada",
      iat: now,
      exp: now + (this.#options.lifetime ?? 300),
      jti: randomUUID(),
      client_id: "test",
    };
    return this.ring.sign({ ...usual, ...claims }, header);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? "/", this.issuer);
    this.seen.push(`${req.method ?? ""} ${url.pathname}`);
    let body = "";
    for await (const chunk of req) body += String(chunk);
    const path = this.#options.path ?? "";
    const form = this.#options.metadata ?? "oauth";
    const places = {
      oauth: `/.well-known/oauth-authorization-server${path}`,
      "openid-before": `/.well-known/openid-configuration${path}`,
      "openid-behind": `${path}/.well-known/openid-configuration`,
    };
    if (url.pathname === places[form]) json(res, 200, this.#metadata());
    else if (url.pathname === `${path}/jwks`) this.#keys(res);
    else if (url.pathname === `${path}/authorize`) this.#authorize(url.searchParams, res);
    else if (url.pathname === `${path}/token`) await this.#token(req, new URLSearchParams(body), res);
    else if (url.pathname === `${path}/register`) register(body, res);
    else json(res, 404, { error: "not_found" });
  }

  #metadata(): Record<string, unknown> {
    const { metadataIssuer, jwksUri, noPkce, noRegistration } = this.misbehaviour;
    return {
      issuer: metadataIssuer ?? this.issuer,
      jwks_uri: jwksUri ?? `${this.issuer}/jwks`,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "client_credentials", "refresh_token"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "none"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["tools", "offline_access"],
      authorization_response_iss_parameter_supported: true,
      ...(noPkce === true ? {} : { code_challenge_methods_supported: ["S256"] }),
      ...(noRegistration === true ? {} : { registration_endpoint: `${this.issuer}/register` }),
    };
  }

  #keys(res: ServerResponse): void {
    const { jwks } = this.misbehaviour;
    if (jwks === "down") json(res, 503, { error: "down" });
    else if (jwks === "redirect") res.writeHead(302, { location: `${this.issuer}/elsewhere` }).end();
    else if (jwks === "not-json") res.writeHead(200).end("<html>");
    else if (jwks === "secret") json(res, 200, { keys: [{ kty: "oct", k: "c2VjcmV0", kid: "shared" }] });
    else if (jwks === "oversize") json(res, 200, { ...this.ring.published(), padding: "x".repeat(300_000) });
    else json(res, 200, this.ring.published());
  }

  /** The person agrees to everything at once. */
  #authorize(query: URLSearchParams, res: ServerResponse): void {
    const { iss, authorizationError } = this.misbehaviour;
    const redirect = query.get("redirect_uri") ?? "";
    if (query.get("code_challenge_method") !== "S256" || query.get("response_type") !== "code") {
      json(res, 400, { error: "invalid_request" });
      return;
    }
    const back = new URL(redirect);
    back.searchParams.set("state", query.get("state") ?? "");
    if (iss !== null) back.searchParams.set("iss", iss ?? this.issuer);
    if (authorizationError === undefined) {
      const code = randomUUID();
      this.#codes.set(code, {
        client: query.get("client_id") ?? "",
        redirect,
        challenge: query.get("code_challenge") ?? "",
        resource: query.get("resource") ?? "",
        scope: query.get("scope") ?? "",
      });
      back.searchParams.set("code", code);
    } else {
      back.searchParams.set("error", authorizationError);
      back.searchParams.set("error_description", "Click http://evil.example/ to go on");
    }
    res.writeHead(302, { location: back.href }).end();
  }

  async #token(req: IncomingMessage, form: URLSearchParams, res: ServerResponse): Promise<void> {
    const { authorization } = req.headers;
    this.tokenRequests.push({
      ...Object.fromEntries(form),
      ...(authorization === undefined ? {} : { authorization }),
    });
    if (this.misbehaviour.tokenDown === true) {
      json(res, 503, { error: "temporarily_unavailable" });
      return;
    }
    if (this.misbehaviour.echo === true) {
      json(res, 400, {
        error: "invalid_request",
        error_description: `${form.toString()} ${authorization ?? ""}`,
      });
      return;
    }
    const grant = form.get("grant_type");
    const given =
      grant === "client_credentials"
        ? this.#forSecret(form, authorization)
        : grant === "refresh_token"
          ? this.#forRefresh(form)
          : this.#forCode(form);
    if (given === undefined)
      json(res, 400, { error: grant === "client_credentials" ? "invalid_client" : "invalid_grant" });
    else json(res, 200, await this.#answer(given, grant !== "client_credentials"));
  }

  #forSecret(form: URLSearchParams, authorization: string | undefined): Refresh | undefined {
    const [id = "", secret = ""] = Buffer.from(authorization?.slice("Basic ".length) ?? "", "base64")
      .toString()
      .split(":")
      .map(decodeURIComponent);
    if (secret === "" || this.#options.secrets?.[id] !== secret) return undefined;
    return { client: id, resource: form.get("resource") ?? "", scope: form.get("scope") ?? "" };
  }

  #forCode(form: URLSearchParams): Refresh | undefined {
    const code = this.#codes.get(form.get("code") ?? "");
    this.#codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const fits =
      code !== undefined &&
      code.challenge === challenge &&
      code.redirect === form.get("redirect_uri") &&
      code.client === form.get("client_id") &&
      code.resource === form.get("resource");
    return fits ? code : undefined;
  }

  #forRefresh(form: URLSearchParams): Refresh | undefined {
    const shown = form.get("refresh_token") ?? "";
    const held = this.#refresh.get(shown);
    this.#refresh.delete(shown);
    if (this.misbehaviour.revoked === true || held?.client !== form.get("client_id")) return undefined;
    return held;
  }

  async #answer(given: Refresh, refreshable: boolean): Promise<Record<string, unknown>> {
    const refresh = `refresh-${randomUUID()}`;
    if (refreshable) this.#refresh.set(refresh, given);
    const access = await this.token({
      aud: given.resource,
      scope: given.scope,
      sub: refreshable ? "ada" : given.client,
    });
    return {
      access_token: access,
      token_type: "Bearer",
      expires_in: this.#options.lifetime ?? 300,
      ...(refreshable ? { refresh_token: refresh } : {}),
    };
  }
}

function register(body: string, res: ServerResponse): void {
  const asked: Record<string, unknown> = JSON.parse(body);
  json(res, 201, { ...asked, client_id: `registered-${randomUUID()}` });
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
