/**
 * The tool gateway: MCP for every client. Transports of both eras of the protocol, Omni's own servers (filesystem,
 * PostgreSQL, the node itself), upstream servers and their processes, and one hub between them: names, policy, approval,
 * pins of definitions, audit.
 * Never here: models and engines, HTTP beyond MCP's own, and what a command prints.
 */
export type { Provider, ProviderContext } from "./provider.ts";
export type { Asker, Hub } from "./hub.ts";
