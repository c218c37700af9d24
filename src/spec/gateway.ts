import { z } from "zod";
import { exactlyOne } from "./scalars/choice.ts";
import { host, labelName, networkName, path, port, text, url } from "./scalars/identities.ts";
import { bytes, duration, whole } from "./scalars/quantities.ts";
import { secret } from "./scalars/secret.ts";
import { DEFAULTS } from "./default-values.ts";

const D = DEFAULTS.gateway;

/** The one endpoint that clients talk to. */
export const gatewaySchema = z.strictObject({
  host: host()
    .optional()
    .describe("Address it listens on; beyond this machine it needs keys.")
    .meta({ default: D.host }),
  port: port(4664).optional().describe("Port it listens on.").meta({ default: D.port }),
  nodePort: port(30080).optional().describe("NodePort on a cluster."),
  networks: z
    .array(networkName())
    .optional()
    .describe("Networks it joins: the only way into an isolated one."),
  publicUrl: url(["https", "http"], "https://ai.example.com")
    .optional()
    .describe("Address that clients use, when a proxy stands before it."),
  workers: whole(1, 64, 1).optional().describe("Processes that share the port.").meta({ default: D.workers }),
  bodyLimit: bytes().optional().describe("Largest request.").meta({ default: D.bodyLimit }),
  console: z.boolean().optional().describe("Serve the web console.").meta({ default: D.console }),
  anthropic: z.boolean().optional().describe("Serve the Anthropic dialect.").meta({ default: D.anthropic }),
  queue: z
    .strictObject({
      limit: whole(0, 100_000, 256)
        .optional()
        .describe("Requests that may wait in all.")
        .meta({ default: D.queue.limit }),
      deadline: duration().optional().describe("Longest wait.").meta({ default: D.queue.deadline }),
    })
    .optional()
    .describe("Waiting requests.")
    .meta({ default: {} }),
  timeouts: z
    .strictObject({
      headers: duration()
        .optional()
        .describe("For a client to send its headers.")
        .meta({ default: D.timeouts.headers }),
      body: duration()
        .optional()
        .describe("For a client to send its body.")
        .meta({ default: D.timeouts.body }),
      idle: duration().optional().describe("For an idle connection.").meta({ default: D.timeouts.idle }),
      drain: duration()
        .optional()
        .describe("For running requests at shutdown.")
        .meta({ default: D.timeouts.drain }),
      connect: duration()
        .optional()
        .describe("To connect to an engine.")
        .meta({ default: D.timeouts.connect }),
    })
    .optional()
    .describe("Time limits.")
    .meta({ default: {} }),
  cors: z
    .array(text("an origin", "https://chat.example.com"))
    .optional()
    .describe("Origins of web pages that may call it; none when absent."),
  allowedHosts: z
    .array(text("a host name", "ai.example.com"))
    .optional()
    .describe("Host headers that are accepted, beside its own addresses."),
  tls: z
    .strictObject({
      certificate: path("/etc/omni/tls.crt").describe("Certificate chain file."),
      key: secret().describe("Private key, by reference."),
    })
    .optional()
    .describe("TLS; plain HTTP when absent."),
  store: z
    .strictObject({
      folder: path("/var/lib/omni")
        .optional()
        .describe("Folder of the SQLite store; the state folder when absent."),
      postgres: secret()
        .optional()
        .describe("Connection string of a PostgreSQL that several gateways share, by reference."),
    })
    .check(exactlyOne(["folder", "postgres"]))
    .optional()
    .describe("Where keys, usage and events are kept."),
  mcp: z
    .strictObject({
      enabled: z.boolean().optional().describe("Serve MCP.").meta({ default: D.mcp.enabled }),
      path: path("/mcp").optional().describe("Path of Streamable HTTP.").meta({ default: D.mcp.path }),
      legacySse: z
        .boolean()
        .optional()
        .describe("Serve the old HTTP+SSE transport too.")
        .meta({ default: D.mcp.legacySse }),
      prefix: z
        .boolean()
        .optional()
        .describe(
          "Put a server's name before the names of its tools; only a node with one server may do without.",
        )
        .meta({ default: D.mcp.prefix }),
      searchAbove: whole(1, 100_000, 60)
        .optional()
        .describe("Number of tools above which clients search instead of listing.")
        .meta({ default: D.mcp.searchAbove }),
      sessions: whole(1, 1_000_000, 1000)
        .optional()
        .describe("Sessions of older clients at most; the one that was idle longest makes room.")
        .meta({ default: D.mcp.sessions }),
      sessionIdle: duration()
        .optional()
        .describe("How long a session may be idle.")
        .meta({ default: D.mcp.sessionIdle }),
      approvalTimeout: duration()
        .optional()
        .describe("How long a call waits for a person.")
        .meta({ default: D.mcp.approvalTimeout }),
      auditArguments: z
        .boolean()
        .optional()
        .describe("Keep arguments and answers of calls in the audit, not their shapes alone.")
        .meta({ default: D.mcp.auditArguments }),
      oauth: z
        .strictObject({
          issuer: url(["https", "http"], "https://login.example.com").describe(
            "Authorization server whose access tokens are taken beside keys.",
          ),
          audience: text("an audience", "https://ai.example.com/mcp")
            .optional()
            .describe("Audience that a token must name; the address of MCP when absent."),
          jwks: url(["https", "http"], "https://login.example.com/jwks")
            .optional()
            .describe("Where its signing keys are; found by its metadata when absent."),
          scopes: z
            .record(text("a scope", "mcp:tools"), labelName())
            .describe("Which key's rights a token with a scope has; the first that it has counts."),
        })
        .optional()
        .describe("OAuth for MCP clients."),
    })
    .optional()
    .describe("MCP for clients.")
    .meta({ default: {} }),
});
