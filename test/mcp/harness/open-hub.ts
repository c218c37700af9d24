import type { AuthProvider } from "@modelcontextprotocol/client";
import { present } from "../../../src/core/index.ts";
import type { EventLog } from "../../../src/core/index.ts";
import type { Hub } from "../../../src/mcp/hub.ts";
import { createHub } from "../../../src/mcp/hub/create-hub.ts";
import { createUpstream } from "../../../src/mcp/upstream/upstream.ts";

/** What stands behind the gateway: one server, by its address or as a program. */
export type Behind =
  | { readonly url: string; readonly transport?: "streamable" | "sse" }
  | { readonly command: readonly string[] };

export interface Settings {
  readonly behind: Behind;
  /** How long a session of the older era may be idle, ms. */
  readonly sessionIdle?: number;
  readonly sessions?: number;
}

/** Bytes. */
export const MIB = 1024 * 1024;

/** Nobody reads them. */
export const events: EventLog = {
  record: (event) => ({ ...event, seq: 0, time: Date.now() }),
  after: () => [],
  latest: () => [],
  subscribe: () => () => {},
};

/** The hub over that one server: names as they are, nothing to approve, nothing pinned, and it may ask for roots. */
export function openHub({ behind }: Settings, authProvider?: AuthProvider): Hub {
  const common = {
    name: "fixture",
    version: "0.0.0",
    events,
    initTimeout: 60_000,
    timeout: 60_000,
    instances: 1,
    roots: true,
    maxMessage: 32 * MIB,
  };
  const provider =
    "url" in behind
      ? createUpstream({
          ...common,
          kind: "http",
          url: behind.url,
          transport: behind.transport ?? "streamable",
          headers: {},
          ...present({ authProvider }),
        })
      : createUpstream({ ...common, kind: "stdio", command: behind.command, environment: {} });
  const policy = {
    enabled: true,
    approval: "never",
    approver: "either",
    pin: false,
    roots: true,
    timeout: 60_000,
    maxOutput: MIB,
  } as const;
  return createHub({
    servers: [{ name: "fixture", provider, upstream: true, policy }],
    prefix: false,
    searchAbove: 1000,
    approvalTimeout: 10_000,
    auditArguments: false,
    events,
  });
}
