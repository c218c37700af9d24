import { z } from "zod";
import { bytes, count, duration, instant, listOf, text } from "./shapes.ts";

/** A server of the tool gateway: `HubServer` of mcp. */
const toolServer = z
  .object({
    name: text,
    enabled: z.boolean(),
    state: z.enum(["idle", "starting", "ready", "failed", "closed"]),
    transport: text,
    reason: text.exactOptional(),
    serverName: text.exactOptional(),
    serverVersion: text.exactOptional(),
    protocolVersion: text.exactOptional(),
    since: instant,
    restarts: count,
    connections: count,
    pids: listOf(count).exactOptional(),
    tools: count,
    quarantined: count,
  })
  .meta({ id: "ToolServer" });

const tool = z
  .object({
    server: text,
    tool: text,
    name: text,
    description: text.exactOptional(),
    readOnly: z.boolean(),
    destructive: z.boolean(),
    needsApproval: z.boolean(),
    quarantined: z.boolean(),
  })
  .meta({ id: "Tool" });

/** A definition that was accepted; `offered` is another one that the server gives now. */
const pin = z
  .object({
    server: text,
    tool: text,
    hash: text,
    definition: text,
    accepted: instant,
    by: text,
    offered: z.object({ hash: text, definition: text, seen: instant }).exactOptional(),
  })
  .meta({ id: "Pin" });

/** A call that waits for a person. */
const approval = z
  .object({
    id: text,
    key: text,
    server: text,
    tool: text,
    arguments: z.record(text, z.unknown()).readonly(),
    asked: instant,
    until: instant,
  })
  .meta({ id: "Approval" });

/** A call as the audit keeps it. */
const auditEntry = z
  .object({
    seq: count,
    time: instant,
    request: text,
    key: text,
    channel: text,
    server: text,
    method: text,
    name: text,
    shape: text,
    argumentBytes: bytes,
    resultBytes: bytes,
    outcome: z.enum(["ok", "error", "refused", "denied", "cancelled", "timeout", "input"]),
    code: text.exactOptional(),
    duration,
    approvedBy: text.exactOptional(),
    contents: z.object({ arguments: text, result: text }).exactOptional(),
  })
  .meta({ id: "AuditEntry" });

export const toolServers = z.object({ servers: listOf(toolServer) });
export const tools = z.object({
  tools: listOf(tool),
  failed: listOf(z.object({ server: text, message: text })),
});
export const pins = z.object({ pins: listOf(pin) });
export const approvals = z.object({ approvals: listOf(approval) });
export const audit = z.object({ audit: listOf(auditEntry) });
export const auditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).exactOptional(),
  before: z.coerce.number().int().min(0).exactOptional(),
  key: text.exactOptional(),
  server: text.exactOptional(),
  outcome: auditEntry.shape.outcome.exactOptional(),
});

export const acceptPin = z.strictObject({
  server: text.min(1),
  tool: text.min(1),
  hash: text.regex(/^[0-9a-f]{64}$/, "is 64 hexadecimal digits"),
});
export const acceptedPin = z.object({ server: text, tool: text, hash: text, message: text });
export const decision = z.strictObject({ approve: z.boolean() });
export const decided = z.object({ id: text, approved: z.boolean(), message: text });
export const retried = z.object({ server: text, message: text });
