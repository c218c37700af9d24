import type { Prompt, Resource, ResourceTemplateType, Tool } from "@modelcontextprotocol/client";
import { isSpecType } from "@modelcontextprotocol/client";

import { OmniError } from "../../core/index.ts";
import type { Provider, ProviderChange, ProviderContext, ProviderOffers } from "../provider.ts";
import { completionAnswer, contentsAnswer, promptAnswer, toolAnswer } from "./answers.ts";
import { closedError, Connections } from "./connections.ts";
import { fateOf, isConnectionGone, reasonOf, requestError } from "./failure.ts";
import { hasUsableHeaders } from "./header-declarations.ts";
import { ItemList } from "./item-list.ts";
import type { Link } from "./link.ts";
import { ParkedCalls } from "./parked-calls.ts";
import { redactor } from "./redact.ts";
import { Requests } from "./requests.ts";
import type { UpstreamRequest } from "./requests.ts";
import { PARK_TIME, secretsOf } from "./upstream-options.ts";
import type { UpstreamOptions } from "./upstream-options.ts";
import { Watches } from "./watches.ts";

export type { HttpUpstream, StdioUpstream, UpstreamOptions } from "./upstream-options.ts";

/** What of a tool a call of it needs. */
interface CalledTool {
  readonly repeatable: boolean;
  readonly headersOf: Tool | undefined;
}

/** An upstream MCP server over stdio, Streamable HTTP or SSE, of either era, as a provider. Nothing is started before it is needed. */
export function createUpstream(options: UpstreamOptions): Provider {
  return new Upstream(options);
}

class Upstream implements Provider {
  readonly #options: UpstreamOptions;
  readonly #clean: (text: string) => string;
  readonly #connections: Connections;
  readonly #requests: Requests;
  readonly #parked: ParkedCalls;
  readonly #watches = new Watches(() => this.#keepWatching());
  readonly #listeners = new Set<(change: ProviderChange) => void>();
  readonly #tools: ItemList<Tool>;
  readonly #resources: ItemList<Resource>;
  readonly #templates: ItemList<ResourceTemplateType>;
  readonly #prompts: ItemList<Prompt>;
  #called: { readonly of: readonly Tool[] | undefined; readonly tools: ReadonlyMap<string, CalledTool> } = {
    of: undefined,
    tools: new Map(),
  };
  #watchTimer: NodeJS.Timeout | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#clean = redactor(secretsOf(options));
    this.#parked = new ParkedCalls(options.parkTime ?? PARK_TIME);
    this.#connections = new Connections(options, this.#clean, {
      onList: (kind) => this.#forget(kind),
      onUpdated: (uri) => {
        if (this.#watches.has(uri)) this.#emit({ kind: "updated", uri });
      },
      onOpen: (link, again) => this.#opened(link, again),
      onDown: () => this.#keepWatching(),
      onState: () => this.#emit({ kind: "state" }),
    });
    this.#requests = new Requests({
      options,
      clean: this.#clean,
      connections: this.#connections,
      parked: this.#parked,
      onMismatch: async () => {
        this.#tools.forget();
        await this.tools(AbortSignal.timeout(options.timeout)).catch(() => []);
      },
    });
    const bytes = options.maxMessage * 4;
    this.#tools = new ItemList({ method: "tools/list", member: "tools", isItem: isUsableTool }, bytes);
    this.#resources = new ItemList(
      { method: "resources/list", member: "resources", isItem: isSpecType.Resource },
      bytes,
    );
    this.#templates = new ItemList(
      {
        method: "resources/templates/list",
        member: "resourceTemplates",
        isItem: isSpecType.ResourceTemplate,
      },
      bytes,
    );
    this.#prompts = new ItemList(
      { method: "prompts/list", member: "prompts", isItem: isSpecType.Prompt },
      bytes,
    );
  }

  async offers(signal: AbortSignal): Promise<ProviderOffers> {
    const link = await this.#connections.any(signal);
    const { tools, resources, prompts, completions } = link.capabilities;
    const instructions = link.client.getInstructions();
    return {
      tools: tools !== undefined,
      resources: resources !== undefined,
      prompts: prompts !== undefined,
      completions: completions !== undefined,
      subscriptions: resources?.subscribe === true,
      ...(instructions === undefined ? {} : { instructions }),
    };
  }

  tools = (signal: AbortSignal): Promise<readonly Tool[]> => this.#list(this.#tools, "tools", signal);
  resources = (signal: AbortSignal): Promise<readonly Resource[]> =>
    this.#list(this.#resources, "resources", signal);
  templates = (signal: AbortSignal): Promise<readonly ResourceTemplateType[]> =>
    this.#list(this.#templates, "resources", signal);
  prompts = (signal: AbortSignal): Promise<readonly Prompt[]> => this.#list(this.#prompts, "prompts", signal);

  async callTool(name: string, args: Readonly<Record<string, unknown>>, context: ProviderContext) {
    const params = { name, arguments: args };
    const requestOf = (): UpstreamRequest => {
      const tool = this.#tool(name);
      return {
        method: "tools/call",
        params,
        subject: name,
        repeatable: tool?.repeatable ?? false,
        headersOf: tool?.headersOf,
      };
    };
    return toolAnswer(await this.#requests.send(requestOf, context));
  }

  async readResource(uri: string, context: ProviderContext) {
    const request = { method: "resources/read", params: { uri }, subject: uri, repeatable: true };
    return contentsAnswer(await this.#requests.send(() => request, context));
  }

  async getPrompt(name: string, args: Readonly<Record<string, string>>, context: ProviderContext) {
    const params = { name, arguments: args };
    const request = { method: "prompts/get", params, subject: name, repeatable: true };
    return promptAnswer(await this.#requests.send(() => request, context));
  }

  async complete(params: Parameters<Provider["complete"]>[0], context: ProviderContext) {
    const request = {
      method: "completion/complete",
      params,
      subject: params.argument.name,
      repeatable: true,
    };
    return completionAnswer(await this.#requests.send(() => request, context));
  }

  async watch(uri: string): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.initTimeout);
    const link = await this.#connections.any(signal);
    if (link.capabilities.resources?.subscribe !== true) {
      throw new OmniError(
        "mcp.unreachable",
        `MCP server ${this.#options.name} does not tell of changes of its resources.`,
      );
    }
    try {
      await this.#watches.attach(link);
      await this.#watches.add(uri);
    } catch (error) {
      await this.#watches.remove(uri);
      throw this.#errorOf(`resources/subscribe ${uri}`, error);
    }
  }

  unwatch(uri: string): Promise<void> {
    return this.#watches.remove(uri);
  }

  onChange(listener: (change: ProviderChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  view(): ReturnType<Provider["view"]> {
    return this.#connections.view();
  }

  retry(): void {
    this.#connections.retry();
    if (this.#connections.closed || this.#connections.first !== undefined) return;
    // Its state says how that went.
    this.#connections.any(AbortSignal.timeout(this.#options.initTimeout * 2)).catch(() => {});
  }

  async close(): Promise<void> {
    clearTimeout(this.#watchTimer);
    this.#parked.close(closedError(this.#options.name));
    await this.#connections.close();
  }

  async #list<T>(
    list: ItemList<T>,
    capability: "tools" | "resources" | "prompts",
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    if (this.#connections.closed) throw closedError(this.#options.name);
    if (list.fresh !== undefined) return list.fresh;
    for (let repeated = false; ; repeated = true) {
      const link = await this.#connections.any(signal);
      if (link.capabilities[capability] === undefined) return [];
      try {
        return await this.#fetch(list, capability, link, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const fate = fateOf(error);
        if (fate === "expired" && !link.modern) this.#connections.expired(link);
        else if (isConnectionGone(error)) this.#connections.lost(link, reasonOf(error));
        if (repeated || !link.gone) throw this.#errorOf(list.method, error);
      }
    }
  }

  async #fetch<T>(
    list: ItemList<T>,
    capability: "tools" | "resources" | "prompts",
    link: Link,
    signal: AbortSignal,
  ): Promise<readonly T[]> {
    // A stream that broke off is opened again with the next list.
    if (!this.#watches.hears) await this.#watches.attachSoon(link);
    // Before anything is asked for: nobody would be there for its failure.
    if (signal.aborted) throw signal.reason;
    const told = this.#watches.hears && link.capabilities[capability]?.listChanged === true;
    const fetching = list.fetch(link, this.#options.timeout, told);
    return await new Promise<readonly T[]>((resolve, reject) => {
      const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      signal.addEventListener("abort", abort, { once: true });
      fetching.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }

  #tool(name: string): CalledTool | undefined {
    const { known } = this.#tools;
    // Until a new list is there, the old one says more than none.
    if (known !== undefined && this.#called.of !== known) {
      const tools = new Map<string, CalledTool>();
      for (const tool of known) tools.set(tool.name, calledTool(tool));
      this.#called = { of: known, tools };
    }
    return this.#called.tools.get(name);
  }

  #errorOf(what: string, error: unknown): Error {
    return requestError(this.#options.name, what, error, this.#clean, this.#options.timeout);
  }

  #emit(change: ProviderChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Tells it only when somebody has the old one, so that a flood of notifications is one change. */
  #forget(kind: "tools" | "resources" | "prompts"): void {
    const lists = {
      tools: [this.#tools],
      resources: [this.#resources, this.#templates],
      prompts: [this.#prompts],
    };
    let had = false;
    for (const list of lists[kind]) had = list.forget() || had;
    if (had) this.#emit({ kind });
  }

  #opened(link: Link, again: boolean): void {
    if (this.#watches.link === undefined || this.#watches.link.gone) {
      if (again) for (const kind of ["tools", "resources", "prompts"] as const) this.#forget(kind);
      this.#watches.attach(link).catch(() => this.#keepWatching());
    }
  }

  /** Somebody watches, so the connection is made again without being asked for: as often as its failures allow, once a minute at least. */
  #keepWatching(): void {
    if (this.#watches.size === 0 || this.#connections.closed || this.#watchTimer !== undefined) return;
    const wait = Math.max(this.#connections.pause, 1000);
    this.#watchTimer = setTimeout(() => {
      this.#watchTimer = undefined;
      this.#connections
        .any(AbortSignal.timeout(this.#options.initTimeout))
        .then((link) => this.#watches.attach(link))
        .catch(() => this.#keepWatching());
    }, wait);
  }
}

const isUsableTool = (value: unknown): value is Tool =>
  isSpecType.Tool(value) && hasUsableHeaders(value.inputSchema);

function calledTool(tool: Tool): CalledTool {
  const { annotations, inputSchema } = tool;
  return {
    repeatable: annotations?.readOnlyHint === true || annotations?.idempotentHint === true,
    headersOf: JSON.stringify(inputSchema).includes("x-mcp-header") ? tool : undefined,
  };
}
