import { setTimeout } from "node:timers/promises";

import {
  type CallToolResult,
  type CompleteResult,
  type GetPromptResult,
  inputRequired,
  type Prompt,
  ProtocolError,
  type ReadResourceResult,
  type Resource,
  type ResourceTemplateType,
  type Tool,
} from "@modelcontextprotocol/server";

import type { Asker, Hub, HubChange, HubContext } from "../../src/mcp/hub.ts";
import type { Answer } from "../../src/mcp/provider.ts";

type Args = Readonly<Record<string, unknown>>;

/** A call that the fake hub was asked for, with all that came with it. */
export interface SeenCall {
  readonly name: string;
  readonly args: Args;
  readonly asker: Asker;
  readonly context: HubContext;
}

const text = (value: string): CallToolResult => ({ content: [{ type: "text", text: value }] });

const tool = (name: string, properties: Record<string, Record<string, string>> = {}): Tool => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: "object", properties },
});

const never = (): never => {
  throw new Error("the fake hub has no servers");
};

/** A hub with a handful of tools and no servers behind them; counts who listens, and tells what changes when it is told to. */
export class FakeHub implements Hub {
  readonly calls: SeenCall[] = [];
  readonly listeners = new Set<(change: HubChange) => void>();
  readonly watched = new Map<string, number>();
  /** Signals of the calls of `hang`. */
  readonly hanging: AbortSignal[] = [];
  /** Called with each call of `hang`. */
  onHang: (() => void) | undefined;
  /** What a call of `gated` waits for. */
  gate: Promise<void> = Promise.resolve();
  readonly #extra: number;

  /** `extra` tools beside those that do something. */
  constructor(extra = 0) {
    this.#extra = extra;
  }

  instructions(asker: Asker): Promise<string> {
    return Promise.resolve(`You are ${asker.caller.key}.`);
  }

  tools(): Promise<readonly Tool[]> {
    return Promise.resolve([
      tool("echo", { text: { type: "string" } }),
      tool("fail"),
      tool("big", { bytes: { type: "integer" } }),
      tool("hang"),
      tool("gated"),
      tool("progress"),
      tool("ask"),
      tool("routed", { region: { type: "string", "x-mcp-header": "Region" } }),
      {
        ...tool("list"),
        outputSchema: { type: "array", items: { type: "number" } },
      },
      ...Array.from({ length: this.#extra }, (_, index) => tool(`extra_${index}`)),
    ]);
  }

  resources(): Promise<readonly Resource[]> {
    return Promise.resolve([{ uri: "fake://one", name: "one" }]);
  }

  templates(): Promise<readonly ResourceTemplateType[]> {
    return Promise.resolve([{ uriTemplate: "fake://{id}", name: "any" }]);
  }

  prompts(): Promise<readonly Prompt[]> {
    return Promise.resolve([{ name: "greet", arguments: [{ name: "who", required: true }] }]);
  }

  callTool(name: string, args: Args, asker: Asker, context: HubContext): Promise<Answer<CallToolResult>> {
    this.calls.push({ name, args, asker, context });
    switch (name) {
      case "echo":
        return Promise.resolve(text(String(args["text"])));
      case "fail":
        return Promise.resolve({ ...text("it failed"), isError: true });
      case "big":
        return Promise.resolve(text("x".repeat(Number(args["bytes"]))));
      case "list":
        return Promise.resolve({ content: [], structuredContent: [1, 2, 3] });
      case "routed":
        return Promise.resolve(text("routed"));
      case "progress":
        context.onProgress?.({ progress: 1, total: 2 });
        context.onLog?.({ level: "info", data: "half" });
        // Clients take an answer that comes with the progress in one piece for the end of progress.
        return setTimeout(20, text("done"));
      case "ask":
        return Promise.resolve(this.#ask(context));
      case "gated":
        return this.gate.then(() => text("opened"));
      case "hang":
        return this.#hang(context.signal);
      default:
        return Promise.reject(new ProtocolError(-32_602, `Unknown tool: ${name}`));
    }
  }

  readResource(uri: string, _asker: Asker, _context: HubContext): Promise<Answer<ReadResourceResult>> {
    return uri === "fake://one"
      ? Promise.resolve({ contents: [{ uri, text: "one" }], cacheScope: "public", ttlMs: 5 })
      : Promise.reject(new ProtocolError(-32_002, `Resource not found: ${uri}`, { uri }));
  }

  getPrompt(_name: string, args: Readonly<Record<string, string>>): Promise<Answer<GetPromptResult>> {
    return Promise.resolve({
      messages: [{ role: "user", content: { type: "text", text: `Hello ${args["who"] ?? "?"}` } }],
    });
  }

  complete(): Promise<CompleteResult> {
    return Promise.resolve({ completion: { values: ["a", "b"] } });
  }

  watch(uri: string): Promise<() => void> {
    if (!uri.startsWith("fake://one"))
      return Promise.reject(new ProtocolError(-32_002, `Resource not found: ${uri}`));
    this.watched.set(uri, (this.watched.get(uri) ?? 0) + 1);
    let over = false;
    return Promise.resolve(() => {
      if (over) return;
      over = true;
      this.watched.set(uri, (this.watched.get(uri) ?? 1) - 1);
    });
  }

  onChange(_asker: Asker, listener: (change: HubChange) => void): () => void {
    const own = (change: HubChange): void => listener(change);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  change(change: HubChange): void {
    for (const listener of this.listeners) listener(change);
  }

  servers = () => [];
  serversOf = () => [];
  toolsOf = never;
  callToolOf = never;
  pins = () => [];
  acceptPin = never;
  approvals = () => [];
  decide = never;
  audit = () => [];
  retry = never;
  close = () => Promise.resolve();

  #ask(context: HubContext): Answer<CallToolResult> {
    const answer = context.inputResponses?.["name"];
    if (answer !== undefined) return text(`${JSON.stringify(answer)} ${context.requestState ?? ""}`);
    return inputRequired({
      inputRequests: {
        name: inputRequired.elicit({
          message: "Your name?",
          requestedSchema: { type: "object", properties: { name: { type: "string" } } },
        }),
      },
      requestState: "state-1",
    });
  }

  #hang(signal: AbortSignal): Promise<CallToolResult> {
    this.hanging.push(signal);
    this.onHang?.();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
    });
  }
}
