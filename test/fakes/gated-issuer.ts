import type { Caller } from "../../src/keys/index.ts";
import { createTokenGate } from "../../src/mcp/oauth/token-gate.ts";
import type { TokenGate, TokenGateOptions } from "../../src/mcp/oauth/token-gate.ts";
import type { TokenRefusal } from "../../src/mcp/oauth/token-refusal.ts";
import { AuthorizationServer } from "./authorization-server.ts";

export const RESOURCE = "https://ai.example.com/mcp";
export const FAMILY: Caller = {
  key: "family",
  admin: false,
  upstream: false,
  priority: 5,
  limits: { requestsPerMinute: 60 },
};
const OWNER: Caller = { key: "owner", admin: true, upstream: true, priority: 9 };

/** An issuer, and gates of a node that takes its tokens: `mcp:admin` stands for key `owner`, `mcp:tools` for `family`. */
export class GatedIssuer implements AsyncDisposable {
  readonly issuer: AuthorizationServer;
  /** Milliseconds that the gates' clock is ahead. */
  ahead = 0;
  readonly keys = new Map([FAMILY, OWNER].map((caller) => [caller.key, caller]));
  readonly troubles: (string | undefined)[] = [];

  private constructor(issuer: AuthorizationServer) {
    this.issuer = issuer;
  }

  static async start(): Promise<GatedIssuer> {
    return new GatedIssuer(await AuthorizationServer.start());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.issuer[Symbol.asyncDispose]();
  }

  gate(over: Partial<TokenGateOptions> = {}): TokenGate {
    return createTokenGate({
      issuer: this.issuer.issuer,
      audience: RESOURCE,
      scopes: { "mcp:admin": "owner", "mcp:tools": "family" },
      callerOf: (key) => this.keys.get(key),
      resourceUrl: RESOURCE,
      onTrouble: (reason) => this.troubles.push(reason),
      now: () => Date.now() + this.ahead,
      ...over,
    });
  }

  /** A good token, but for what is changed. */
  token(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): Promise<string> {
    return this.issuer.token({ aud: RESOURCE, scope: "openid mcp:tools", ...claims }, header);
  }
}

/** Why a token is refused. Throws when it is not, or when the reason repeats it. */
export async function refusalOf(gate: TokenGate, token: string): Promise<TokenRefusal> {
  const found = await gate.identify(token);
  if (!("status" in found)) throw new Error(`it was let in as ${found.key}`);
  if (found.message.includes(token)) throw new Error("the reason repeats the token");
  return found;
}

/** Whom a token lets in. */
export async function callerOf(gate: TokenGate, token: string): Promise<Caller> {
  const found = await gate.identify(token);
  if ("status" in found) throw new Error(`${found.status}: ${found.message}`);
  return found;
}
