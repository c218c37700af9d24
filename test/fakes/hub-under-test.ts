import type { CallToolResult, InputRequiredResult, Tool } from "@modelcontextprotocol/server";
import type { Caller } from "../../src/keys/index.ts";
import { createHub } from "../../src/mcp/hub/create-hub.ts";
import type { ChangingHub } from "../../src/mcp/hub/create-hub.ts";
import type { HubMember, HubOptions } from "../../src/mcp/hub/hub-options.ts";
import type { Asker, HubContext } from "../../src/mcp/hub.ts";
import type { ServerPolicy } from "../../src/mcp/policy/server-policy.ts";
import type { Answer } from "../../src/mcp/provider.ts";
import { MemoryEventLog } from "./memory-event-log.ts";
import { ScriptedProvider } from "./mcp-provider.ts";

/** The owner's settings of a server, as the spec's defaults are, except that no call needs approval. */
export const policy = (more: Partial<ServerPolicy> = {}): ServerPolicy => ({
  enabled: true,
  approval: "never",
  approver: "either",
  pin: true,
  roots: false,
  timeout: 5000,
  maxOutput: 256 * 1024,
  ...more,
});

export const member = (
  name: string,
  provider: ScriptedProvider,
  more: Partial<ServerPolicy> = {},
  upstream = true,
): HubMember => ({ name, provider, upstream, policy: policy(more) });

export const caller = (more: Partial<Caller> = {}): Caller => ({
  key: "ann",
  admin: false,
  upstream: false,
  priority: 5,
  ...more,
});

export const asker = (more: Partial<Caller> = {}, channel: Asker["channel"] = "http"): Asker => ({
  caller: caller(more),
  channel,
});

let requests = 0;

export const context = (more: Partial<HubContext> = {}): HubContext => ({
  request: `r${++requests}`,
  signal: new AbortController().signal,
  capabilities: {},
  ...more,
});

/** A hub, with its events, that the test closes. */
export function hubOf(
  servers: readonly HubMember[],
  more: Partial<HubOptions> = {},
): { readonly hub: ChangingHub; readonly events: MemoryEventLog } {
  const events = new MemoryEventLog();
  const hub = createHub({
    servers,
    prefix: true,
    searchAbove: 60,
    approvalTimeout: 2000,
    auditArguments: false,
    events,
    ...more,
  });
  return { hub, events };
}

export const namesOf = (tools: readonly Tool[]): string[] => tools.map(({ name }) => name);

/** The text of a complete result. */
export function textOf(answer: Answer<CallToolResult>): string {
  if ("resultType" in answer && answer.resultType === "input_required") return "input required";
  return result(answer)
    .content.map((block) => (block.type === "text" ? block.text : `(${block.type})`))
    .join("\n");
}

/** A complete result. */
export function result(answer: Answer<CallToolResult>): CallToolResult {
  if (isAsked(answer)) throw new Error("the result asks for input");
  return answer;
}

/** A result that asks the client. */
export function asked(answer: Answer<object>): InputRequiredResult {
  if (!isAsked(answer)) throw new Error(`the result asks for nothing: ${JSON.stringify(answer)}`);
  return answer;
}

const isAsked = (answer: Answer<object>): answer is InputRequiredResult =>
  "resultType" in answer && answer.resultType === "input_required";

export { ScriptedProvider };
