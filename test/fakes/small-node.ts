import type { CallToolResult } from "@modelcontextprotocol/server";

import type { Caller } from "../../src/keys/caller.ts";
import type { ChatReply, ChatRequest, NodeAccess } from "../../src/mcp/node/node-access.ts";
import type { Answer, ProviderContext } from "../../src/mcp/provider.ts";
import type { Measurement, RequestRow } from "../../src/store/index.ts";
import type { ServiceView } from "../../src/supervisor/index.ts";
import { EMPTY_PLAN } from "./empty-plan.ts";
import { MemoryEventLog } from "./memory-event-log.ts";

export const OWNER: Caller = { key: "owner", admin: true, upstream: true, priority: 5 };
export const GUEST: Caller = { key: "guest", admin: false, upstream: false, priority: 5 };

/** A moment of the tests: 2026-11-22 12:00:00 UTC. */
export const NOON = Date.UTC(2026, 10, 22, 12);

/** A node of two services whose orders and questions are kept; what it tells can be replaced. */
export class SmallNode implements NodeAccess {
  readonly events = new MemoryEventLog();
  readonly asked: ChatRequest[] = [];
  readonly orders: string[] = [];
  views: ServiceView[] = [
    view("oracle", { ladder: LADDER, inFlight: 2 }),
    view("flux", { state: "unloaded", reason: "It takes turns with oracle." }),
  ];
  told: Partial<Record<"plan" | "hardware", unknown>> = {};
  loads: readonly Measurement[] = [];
  rows: readonly RequestRow[] = [];
  answer: (request: ChatRequest) => ChatReply | Promise<ChatReply> = () => chatReply("Hello.");

  readonly requests = { latest: () => Promise.resolve(this.rows) };

  services(): readonly ServiceView[] {
    return this.views;
  }

  routes(): ReturnType<NodeAccess["routes"]> {
    return [{ name: "chat", services: ["oracle"] }];
  }

  modelsOf({ routes }: Caller): readonly string[] {
    return ["chat", "oracle", "flux"].filter((name) => routes?.includes(name) ?? true);
  }

  plan(): unknown {
    return this.told.plan ?? EMPTY_PLAN;
  }

  diagnostics(): ReturnType<NodeAccess["diagnostics"]> {
    return [
      {
        code: "does-not-fit",
        severity: "warning",
        message: "video fits nowhere.",
        hint: "Less context.",
      },
    ];
  }

  hardware(): unknown {
    return this.told.hardware ?? { source: "none", reading: null, notes: [] };
  }

  measurements(): readonly Measurement[] {
    return this.loads;
  }

  async ask(request: ChatRequest): Promise<ChatReply> {
    this.asked.push(request);
    return this.answer(request);
  }

  order(service: string, action: string): { readonly ok: boolean; readonly message: string } {
    this.orders.push(`${action} ${service}`);
    return action === "step-up"
      ? { ok: false, message: `${service} is as planned; there is no step to take back.` }
      : { ok: true, message: `${service}: ${action} has begun.` };
  }
}

const LADDER: NonNullable<ServiceView["ladder"]> = {
  rung: 1,
  changes: ["context 8192 → 4096"],
  because: "gpu0 had 200 MiB left",
  since: NOON,
  backWhen: "after 10.0 min of at least 2.00 GiB free on gpu0",
};

const view = (name: string, rest: Partial<ServiceView>): ServiceView => ({
  name,
  engine: "llama.cpp",
  model: `${name}-model`,
  state: "ready",
  restarts: 1,
  contextTokens: 8192,
  parallel: 4,
  since: NOON,
  devices: ["gpu0"],
  ...rest,
});

export const chatReply = (
  content: string,
  usage = { prompt_tokens: 10, completion_tokens: 5 },
): ChatReply => ({
  status: 200,
  body: json({
    model: "oracle-model",
    choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }],
    usage,
  }),
});

export const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

export const contextOf = (caller: Caller = OWNER, rest: Partial<ProviderContext> = {}): ProviderContext => ({
  caller,
  request: "req_1",
  signal: new AbortController().signal,
  capabilities: {},
  ...rest,
});

/** Text and data of a result, and whether it failed. */
export function saidBy(result: Answer<CallToolResult>): {
  readonly text: string;
  readonly data: unknown;
  readonly failed: boolean;
} {
  if (!("content" in result) || !Array.isArray(result.content)) throw new Error("the tool asks something");
  const read: CallToolResult = { ...result, content: result.content };
  const [part] = read.content;
  if (part?.type !== "text") throw new Error("the tool said no text");
  return { text: part.text, data: read.structuredContent, failed: read.isError === true };
}
