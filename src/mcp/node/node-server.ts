import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } from "@modelcontextprotocol/server";
import type {
  CallToolResult,
  CompleteResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";

import { OmniError } from "../../core/index.ts";
import type { Provider, ProviderChange, ProviderContext, ProviderOffers, ProviderView } from "../provider.ts";
import { benchmarks } from "./benchmarks.ts";
import { ChatBudget, CHAT_BUDGET } from "./chat-budget.ts";
import type { ChatBudgetBounds } from "./chat-budget.ts";
import { chatTool } from "./chat-tool.ts";
import { controlTools } from "./control-tools.ts";
import { explainService } from "./explain-service.ts";
import { gpuTelemetry } from "./gpu-telemetry.ts";
import { listModels } from "./list-models.ts";
import type { NodeAccess } from "./node-access.ts";
import { nodeEvents } from "./node-events.ts";
import { nodeHealth } from "./node-health.ts";
import { nodePlan } from "./node-plan.ts";
import { NODE_RESOURCES, nodeResource } from "./node-resources.ts";
import type { NodeTool } from "./node-tool.ts";
import { ResourceWatch } from "./resource-watch.ts";

export interface NodeServerOptions {
  readonly access: NodeAccess;
  /** Models, plan, health, cards, events, measurements. */
  readonly read: boolean;
  /** Ask a model, within a budget. */
  readonly chat: boolean;
  /** Load, unload, restart, drain and step, for keys with admin. */
  readonly control: boolean;
  readonly chatBudget?: Partial<ChatBudgetBounds>;
}

/** The node as a server of MCP. It holds no process and no connection; idle it costs nothing. */
export const createNodeServer = (options: NodeServerOptions): Provider => new NodeServer(options);

const INSTRUCTIONS =
  "This is the AI node that you may be served by. list_models says what can be asked, node_health and node_events what is wrong and why, node_plan and explain_service why things are where they are, benchmarks what was measured. Amounts of memory are bytes in the data and binary units in the texts.";

class NodeServer implements Provider {
  readonly #access: NodeAccess;
  readonly #reads: boolean;
  readonly #tools: ReadonlyMap<string, NodeTool>;
  readonly #listeners = new Set<(change: ProviderChange) => void>();
  readonly #watch: ResourceWatch;
  #since = Date.now();
  #closed = false;

  constructor(options: NodeServerOptions) {
    this.#access = options.access;
    this.#reads = options.read;
    this.#tools = new Map(toolsOf(options).map((tool) => [tool.definition.name, tool]));
    this.#watch = new ResourceWatch(options.access.events, (uri) => this.#tell({ kind: "updated", uri }));
  }

  async offers(): Promise<ProviderOffers> {
    this.#open();
    return {
      tools: this.#tools.size > 0,
      resources: this.#reads,
      prompts: false,
      completions: false,
      subscriptions: this.#reads,
      ...(this.#reads ? { instructions: INSTRUCTIONS } : {}),
    };
  }

  async tools(): Promise<readonly Tool[]> {
    this.#open();
    return [...this.#tools.values()].map(({ definition }) => definition);
  }

  async resources(): Promise<readonly Resource[]> {
    this.#open();
    return this.#reads ? NODE_RESOURCES : [];
  }

  async templates(): Promise<readonly ResourceTemplateType[]> {
    this.#open();
    return [];
  }

  async prompts(): Promise<readonly Prompt[]> {
    this.#open();
    return [];
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    context: ProviderContext,
  ): Promise<CallToolResult> {
    this.#open();
    const tool = this.#tools.get(name);
    if (tool === undefined)
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `The node has no tool "${name.slice(0, 100)}".`,
      );
    return tool.run(args, context);
  }

  async readResource(uri: string, { caller }: ProviderContext): Promise<ReadResourceResult> {
    this.#open();
    const contents = this.#reads ? nodeResource(this.#access, uri, caller) : undefined;
    if (contents === undefined) throw new ResourceNotFoundError(uri);
    return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(contents, null, 2) }] };
  }

  async getPrompt(name: string): Promise<never> {
    this.#open();
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `The node has no prompt "${name.slice(0, 100)}".`,
    );
  }

  async complete(): Promise<CompleteResult> {
    this.#open();
    return { completion: { values: [] } };
  }

  async watch(uri: string): Promise<void> {
    this.#open();
    if (!this.#reads || NODE_RESOURCES.every((resource) => resource.uri !== uri))
      throw new ResourceNotFoundError(uri);
    this.#watch.watch(uri);
  }

  async unwatch(uri: string): Promise<void> {
    this.#watch.unwatch(uri);
  }

  onChange(listener: (change: ProviderChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  view(): ProviderView {
    const state = this.#closed ? "closed" : "ready";
    return { state, transport: "node", since: this.#since, restarts: 0, connections: 0 };
  }

  retry(): void {
    // It never fails as a whole.
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#since = Date.now();
    this.#watch.close();
    this.#tell({ kind: "state" });
    this.#listeners.clear();
  }

  #open(): void {
    if (this.#closed) throw new OmniError("mcp.closed", "The node's own tools have ended with the node.");
  }

  #tell(change: ProviderChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function toolsOf({ access, read, chat, control, chatBudget }: NodeServerOptions): readonly NodeTool[] {
  const bounds = { ...CHAT_BUDGET, ...chatBudget };
  const reading = [listModels, nodeHealth, gpuTelemetry, nodePlan, nodeEvents, benchmarks, explainService];
  return [
    ...(read ? reading.map((tool) => tool(access)) : []),
    ...(chat ? [chatTool(access, new ChatBudget(bounds), bounds)] : []),
    ...(control ? controlTools(access) : []),
  ];
}
