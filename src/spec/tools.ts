import { z } from "zod";
import { shorthand } from "./scalars/shorthand.ts";
import { withFacts } from "./scalars/facts.ts";
import { exactlyOne } from "./scalars/choice.ts";
import { labelName, path, pattern, url } from "./scalars/identities.ts";
import { bytes, duration, whole } from "./scalars/quantities.ts";
import { environment, secret } from "./scalars/secret.ts";
import { DEFAULTS } from "./default-values.ts";

const root = shorthand(
  path("/srv/docs"),
  z.strictObject({
    path: path("/srv/docs").describe("Folder."),
    writable: z
      .boolean()
      .optional()
      .describe("Allow changes.")
      .meta({ default: DEFAULTS.filesystem.writable }),
  }),
  (folder) => ({ path: folder }),
);

const filesystem = z.strictObject({
  roots: z
    .record(labelName(), root)
    .describe("Folders by name; a text alone is a read-only folder. Clients see the names, never the paths."),
  deny: z
    .array(pattern("**/.env"))
    .optional()
    .describe("Globs that are never shown, beside the built-in ones for secrets."),
  maxRead: bytes()
    .optional()
    .describe("Most bytes of one read.")
    .meta({ default: DEFAULTS.filesystem.maxRead }),
  maxWrite: bytes()
    .optional()
    .describe("Most bytes of one write.")
    .meta({ default: DEFAULTS.filesystem.maxWrite }),
  versions: whole(0, 1000, 5)
    .optional()
    .describe("Versions of a file that are kept when it is changed.")
    .meta({ default: DEFAULTS.filesystem.versions }),
});

const postgres = z.strictObject({
  dsn: secret().describe("Connection string, by reference because it holds a password."),
  writable: z
    .boolean()
    .optional()
    .describe("Allow changes, each with approval.")
    .meta({ default: DEFAULTS.postgres.writable }),
  allowSuperuser: z
    .boolean()
    .optional()
    .describe("Start in spite of a role that could do anything.")
    .meta({ default: false }),
  schemas: z
    .array(z.string().min(1))
    .optional()
    .describe("Schemas that are shown; all that the role may read when absent."),
  statementTimeout: duration()
    .optional()
    .describe("Longest statement.")
    .meta({ default: DEFAULTS.postgres.statementTimeout }),
  lockTimeout: duration()
    .optional()
    .describe("Longest wait for a lock.")
    .meta({ default: DEFAULTS.postgres.lockTimeout }),
  idleTimeout: duration()
    .optional()
    .describe("Longest idle transaction.")
    .meta({ default: DEFAULTS.postgres.idleTimeout }),
  maxRows: whole(1, 10_000_000, 1000)
    .optional()
    .describe("Most rows of one answer.")
    .meta({ default: DEFAULTS.postgres.maxRows }),
  maxBytes: bytes()
    .optional()
    .describe("Most bytes of one answer.")
    .meta({ default: DEFAULTS.postgres.maxBytes }),
});

const httpServer = shorthand(
  url(["https", "http"], "https://mcp.example.com/mcp"),
  z.strictObject({
    url: url(["https", "http"], "https://mcp.example.com/mcp").describe("Address of the MCP server."),
    transport: z
      .enum(["streamable", "sse"])
      .optional()
      .describe("Transport.")
      .meta({ default: "streamable" }),
    headers: z
      .record(
        withFacts(z.string().regex(/^[a-z0-9-]+$/i), { expected: "a header name", example: "authorization" }),
        z.union([z.string(), secret()]),
      )
      .optional()
      .describe("Headers of every request."),
    oauth: z
      .strictObject({
        clientId: z.string().min(1).optional().describe("Client id."),
        clientSecret: secret().optional().describe("Client secret."),
        scopes: z.array(z.string().min(1)).optional().describe("Scopes to ask for."),
      })
      .optional()
      .describe("OAuth towards the server."),
  }),
  (address) => ({ url: address }),
);

const node = z.strictObject({
  read: z.boolean().optional().describe("Models, plan, health, cards, events.").meta({ default: true }),
  chat: z.boolean().optional().describe("Ask a model, within a budget.").meta({ default: false }),
  control: z
    .boolean()
    .optional()
    .describe("Load, unload and step, each with approval.")
    .meta({ default: false }),
});

/** MCP servers by name: exactly one of filesystem, postgres, node, command, http. */
export const toolSchema = z
  .strictObject({
    filesystem: filesystem.optional().describe("Omni's own file server."),
    postgres: postgres.optional().describe("Omni's own PostgreSQL server."),
    node: node.optional().describe("This node as tools."),
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("MCP server over stdio: program and arguments."),
    http: httpServer.optional().describe("MCP server over HTTP; a text alone is its address."),
    directory: path("/srv").optional().describe("Working folder of the command."),
    environment: environment()
      .optional()
      .describe("Environment of the command; nothing else is passed on but PATH and HOME."),
    enabled: z
      .boolean()
      .optional()
      .describe("Whether it is offered.")
      .meta({ default: DEFAULTS.tool.enabled }),
    allow: z
      .array(pattern("read_*"))
      .optional()
      .describe("Tools that are offered, as globs; all when absent."),
    deny: z
      .array(pattern("delete_*"))
      .optional()
      .describe("Tools that are not offered, as globs; wins over allow."),
    approval: z
      .enum(["never", "destructive", "always"])
      .optional()
      .describe("Which calls a person must approve.")
      .meta({ default: DEFAULTS.tool.approval }),
    approver: z
      .enum(["client", "operator", "either"])
      .optional()
      .describe("Whose approval counts: the person at the client, the node's operator, or who answers first.")
      .meta({ default: DEFAULTS.tool.approver }),
    pin: z
      .boolean()
      .optional()
      .describe("Quarantine a tool whose definition changed until it is accepted.")
      .meta({ default: DEFAULTS.tool.pin }),
    roots: z
      .boolean()
      .optional()
      .describe(
        "Let it ask clients for their roots. Some servers take these for leave to reach more than their owner gave them.",
      )
      .meta({ default: DEFAULTS.tool.roots }),
    exposure: z
      .array(z.enum(["http", "stdio", "sse"]))
      .min(1)
      .optional()
      .describe("Transports it is offered on; all that the gateway serves when absent."),
    timeout: duration().optional().describe("Longest call.").meta({ default: DEFAULTS.tool.timeout }),
    initTimeout: duration()
      .optional()
      .describe("Longest start.")
      .meta({ default: DEFAULTS.tool.initTimeout }),
    maxOutput: bytes()
      .optional()
      .describe("Most bytes of one answer.")
      .meta({ default: DEFAULTS.tool.maxOutput }),
    callsPerMinute: whole(1, 1_000_000, 60).optional().describe("Most calls a minute of one key."),
    instances: whole(1, 64, 1).optional().describe("Processes or connections at most.").meta({ default: 1 }),
  })
  .check(
    exactlyOne(
      ["filesystem", "postgres", "node", "command", "http"],
      "filesystem: { roots: { docs: /srv/docs } }",
    ),
  );
