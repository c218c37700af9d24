import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { AuthProvider } from "@modelcontextprotocol/client";

import { OmniError } from "../../src/core/index.ts";
import { loginUpstream } from "../../src/mcp/oauth/login-upstream.ts";
import type { LoginOptions } from "../../src/mcp/oauth/login-upstream.ts";
import { openTokenStore } from "../../src/mcp/oauth/token-store.ts";
import type { TokenStore } from "../../src/mcp/oauth/token-store.ts";
import { createUpstreamAuth } from "../../src/mcp/oauth/upstream-auth.ts";
import type { UpstreamAuthOptions } from "../../src/mcp/oauth/upstream-auth.ts";
import { AuthorizationServer } from "./authorization-server.ts";
import { browse } from "./browser.ts";
import { ProtectedMcpServer } from "./protected-mcp-server.ts";

/** Secret of the client `node`. */
export const SECRET = "correct-horse-battery";
export const SECRETS = { secrets: { node: SECRET } };
/** Whatever an error holds, it is none of these. */
const NEVER = [SECRET, "refresh-", "code_verifier", "eyJ", "evil.example"];

/** A node's side of OAuth towards one MCP server `wiki`, with a state folder, the server and its issuer. */
export class UpstreamNode implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "omni-upstream-auth-"));
  readonly store: TokenStore = openTokenStore(this.folder);
  readonly issuer: AuthorizationServer;
  readonly server: ProtectedMcpServer;
  /** Milliseconds that the node's clock is ahead. */
  ahead = 0;

  private constructor(issuer: AuthorizationServer, server: ProtectedMcpServer) {
    this.issuer = issuer;
    this.server = server;
  }

  static async start(): Promise<UpstreamNode> {
    const issuer = await AuthorizationServer.start(SECRETS);
    return new UpstreamNode(issuer, await ProtectedMcpServer.start(issuer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.issuer[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  options(over: Partial<UpstreamAuthOptions> = {}): UpstreamAuthOptions {
    const now = (): number => Date.now() + this.ahead;
    return { server: "wiki", url: this.server.url, store: this.store, now, ...over };
  }

  /** The node as the person who logged in. */
  person(over: Partial<UpstreamAuthOptions> = {}): AuthProvider {
    return createUpstreamAuth(this.options(over));
  }

  /** The node as itself. */
  machine(over: Partial<UpstreamAuthOptions> = {}): AuthProvider {
    return createUpstreamAuth(this.options({ clientId: "node", clientSecret: SECRET, ...over }));
  }

  /** Logs in with a browser that agrees to everything. */
  async login(over: Partial<LoginOptions> = {}): Promise<void> {
    await loginUpstream({
      ...this.options(),
      signal: AbortSignal.timeout(20_000),
      open: (url) => void browse(url),
      ...over,
    });
  }

  /** Calls a tool as the node would: the text of its answer. */
  async callTool(authProvider: AuthProvider): Promise<string> {
    const client = new Client({ name: "omni", version: "1" }, { versionNegotiation: { mode: "auto" } });
    try {
      const url = new URL(this.server.url);
      await client.connect(new StreamableHTTPClientTransport(url, { authProvider }));
      const { content } = await client.callTool({ name: "whoami", arguments: {} });
      const [first] = content;
      return first?.type === "text" ? first.text : "";
    } finally {
      await client.close();
    }
  }

  /** Kinds of the token requests that the issuer got. */
  kinds(): readonly (string | undefined)[] {
    return this.issuer.tokenRequests.map(({ grant_type }) => grant_type);
  }

  /** What lies in the state folder, file by file. */
  files(): readonly string[] {
    const folder = join(this.folder, "mcp-tokens");
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  }
}

/** The error of what must fail. Throws when it succeeds, or when anything of the error that could be logged is a secret. */
export async function failureOf(running: Promise<unknown>): Promise<OmniError> {
  const thrown = await running.then(
    (value) => new Error(`it succeeded: ${inspect(value)}`),
    (error: unknown) => error,
  );
  if (!(thrown instanceof OmniError)) throw thrown;
  const shown = inspect(thrown, { depth: 20, showHidden: true });
  for (const secret of NEVER)
    if (shown.includes(secret)) throw new Error(`the error holds ${secret}: ${shown}`);
  return thrown;
}
