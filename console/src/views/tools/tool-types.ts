import type { Answer } from "../../../../src/api/contract/index.ts";

export type ToolServer = Answer<"GET /api/mcp/servers">["servers"][number];
export type Tool = Answer<"GET /api/mcp/tools">["tools"][number];
export type Pin = Answer<"GET /api/mcp/pins">["pins"][number];
export type Approval = Answer<"GET /api/mcp/approvals">["approvals"][number];
export type AuditEntry = Answer<"GET /api/mcp/audit">["audit"][number];
