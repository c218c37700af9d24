import { z } from "zod";
import { cardPoint, hardware, hostPoint } from "./hardware-schema.ts";
import * as key from "./key-schema.ts";
import * as node from "./node-schema.ts";
import type { Operation } from "./operation.ts";
import * as plan from "./plan-schema.ts";
import { events, eventsQuery, nodeEvent, requests, requestsQuery } from "./request-schema.ts";
import * as runbook from "./runbook-schema.ts";
import { duration, listOf, text } from "./shapes.ts";
import { STREAM_EVENTS, streamQuery } from "./stream-schema.ts";
import * as tool from "./tool-schema.ts";

const historyQuery = z.object({
  /** How far back; one hour when absent. */
  minutes: z.coerce.number().int().min(1).max(44_640).exactOptional(),
  /** Milliseconds of one point; what fits 240 points when absent. */
  step: z.coerce.number().int().min(1000).exactOptional(),
});

/**
 * Everything that can be asked of a node under `/api`, by method and path. `{name}` stands for one segment, URL-encoded.
 * The console, the command line, the OpenAPI document and the tests all read this table.
 */
export const OPERATIONS = {
  "GET /api/session": {
    summary: "Who asks, and what of the node is for them.",
    admin: false,
    answer: node.session,
  },
  "GET /api/status": {
    summary: "Services, routes, findings and counts of the node.",
    admin: false,
    answer: node.status,
  },
  "GET /api/stream": {
    summary: "One stream of everything that changes, which goes on where it was cut.",
    admin: true,
    query: streamQuery,
    answer: z.string(),
    events: STREAM_EVENTS,
  },
  "GET /api/events": {
    summary: "Happenings, oldest first: the newest, or those after one.",
    admin: true,
    query: eventsQuery,
    answer: events,
  },
  "GET /api/events/stream": {
    summary: "Happenings as they come, resumed after Last-Event-ID.",
    admin: true,
    query: z.object({ after: z.coerce.number().int().min(0).exactOptional() }),
    answer: z.string(),
    events: { message: nodeEvent },
  },
  "GET /api/requests": {
    summary: "Requests that ended, newest first, without contents.",
    admin: true,
    query: requestsQuery,
    answer: requests,
  },
  "GET /api/usage": {
    summary: "Requests and tokens by day, key, model and service.",
    admin: true,
    query: key.usageQuery,
    answer: key.usage,
  },
  "GET /api/hardware": { summary: "Cards and machine as last seen.", admin: true, answer: hardware },
  "GET /api/history/cards/{uuid}": {
    summary: "How a card was.",
    admin: true,
    query: historyQuery,
    answer: z.object({ points: listOf(cardPoint) }),
  },
  "GET /api/history/host": {
    summary: "How the machine was.",
    admin: true,
    query: historyQuery,
    answer: z.object({ points: listOf(hostPoint) }),
  },
  "GET /api/history/services/{name}": {
    summary: "How a service answered.",
    admin: true,
    query: historyQuery,
    answer: z.object({ step: duration, points: listOf(node.servicePoint) }),
  },
  "GET /api/services/{name}/log": {
    summary: "The end of an engine's log.",
    admin: true,
    query: z.object({ lines: z.coerce.number().int().min(1).max(2000).exactOptional() }),
    answer: node.serviceLog,
  },
  "POST /api/services/{name}/{action}": {
    summary: "Orders load, unload, restart, drain, resume, step-down or step-up.",
    admin: true,
    segments: { action: node.serviceAction.options },
    answer: node.orderAnswer,
    status: 202,
  },
  "GET /api/plan": {
    summary: "The plan that the node runs, and its spec.",
    admin: true,
    answer: plan.runningPlan,
  },
  "POST /api/plan/try": {
    summary: "Plans changes of the spec, and changes nothing.",
    admin: true,
    body: plan.planTrial,
    answer: plan.planTried,
  },
  "POST /api/reload": {
    summary: "Has the node read its spec anew and take over what changed.",
    admin: true,
    answer: z.object({ ok: z.boolean(), changes: listOf(text), diagnostics: listOf(node.diagnostic) }),
  },
  "GET /api/runbooks": { summary: "Runs of apply, newest first.", admin: true, answer: runbook.runs },
  "GET /api/runbooks/{spec}/{run}": {
    summary: "A run with its steps and their evidence.",
    admin: true,
    answer: runbook.runDetail,
  },
  "GET /api/runbooks/{spec}/report": {
    summary: "The definition of done of a spec.",
    admin: true,
    answer: runbook.runReport,
  },
  "GET /api/keys": { summary: "Keys of spec and store.", admin: true, answer: key.keys },
  "POST /api/keys": {
    summary: "Makes a key. Its secret is in this answer alone.",
    admin: true,
    body: key.newKey,
    answer: key.createdKey,
    status: 201,
  },
  "POST /api/keys/{name}/rotate": {
    summary: "Gives a key another secret.",
    admin: true,
    body: key.rotation,
    answer: key.madeKey,
  },
  "DELETE /api/keys/{name}": {
    summary: "Revokes a key of the store; the last one with admin only by force.",
    admin: true,
    query: key.revokeQuery,
    answer: key.revokedKey,
  },
  "GET /api/mcp/servers": { summary: "Servers of the tool gateway.", admin: true, answer: tool.toolServers },
  "POST /api/mcp/servers/{name}/retry": {
    summary: "Tries a failed server again now.",
    admin: true,
    answer: tool.retried,
    status: 202,
  },
  "GET /api/mcp/tools": {
    summary: "Tools of all servers, or of one.",
    admin: true,
    query: z.object({ server: text.exactOptional() }),
    answer: tool.tools,
  },
  "GET /api/mcp/pins": { summary: "Accepted definitions of tools.", admin: true, answer: tool.pins },
  "POST /api/mcp/pins/accept": {
    summary: "Takes the definition that is offered now as the good one.",
    admin: true,
    body: tool.acceptPin,
    answer: tool.acceptedPin,
  },
  "GET /api/mcp/approvals": { summary: "Calls that wait for a person.", admin: true, answer: tool.approvals },
  "POST /api/mcp/approvals/{id}": {
    summary: "Lets a waiting call go on, or refuses it.",
    admin: true,
    body: tool.decision,
    answer: tool.decided,
  },
  "GET /api/mcp/audit": {
    summary: "Calls of tools, newest first.",
    admin: true,
    query: tool.auditQuery,
    answer: tool.audit,
  },
  "GET /api/openapi.json": {
    summary: "This table as an OpenAPI 3.1 document.",
    admin: false,
    answer: z.object({
      openapi: text,
      info: z.unknown(),
      paths: z.unknown(),
      components: z.unknown(),
      tags: z.unknown(),
    }),
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;
type Table = typeof OPERATIONS;

/** What an operation answers where all went well. */
export type Answer<Name extends OperationName> = z.output<Table[Name]["answer"]>;
/** What its body holds. */
export type Body<Name extends OperationName> = Table[Name] extends {
  readonly body: infer B extends z.ZodType;
}
  ? z.input<B>
  : never;
/** The members of its query, as they may be given. */
export type Query<Name extends OperationName> = Table[Name] extends {
  readonly query: infer Q extends z.ZodType;
}
  ? { readonly [Member in keyof z.output<Q>]?: string | number }
  : never;
