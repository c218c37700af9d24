import type {
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType,
  Tool,
} from "@modelcontextprotocol/server";
import type {
  Answer,
  Provider,
  ProviderChange,
  ProviderContext,
  ProviderOffers,
  ProviderState,
  ProviderView,
} from "../../src/mcp/provider.ts";

type Calls = (
  name: string,
  args: Readonly<Record<string, unknown>>,
  context: ProviderContext,
) => Answer<CallToolResult> | Promise<Answer<CallToolResult>>;

/** What a server of a script has and does; every part may be changed while it runs. */
export interface Script {
  tools: Tool[];
  resources: Resource[];
  templates: ResourceTemplateType[];
  prompts: Prompt[];
  instructions: string;
  call: Calls;
  read: (uri: string, context: ProviderContext) => Answer<ReadResourceResult>;
  prompt: (name: string, args: Readonly<Record<string, string>>) => Answer<GetPromptResult>;
  complete: (params: CompleteRequestParams) => CompleteResult;
  /** Awaited before every list: a slow or dead server. */
  start: () => Promise<void>;
}

/** A tool with as little as a tool may have. */
export const tool = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  inputSchema: { type: "object" },
  ...more,
});

const text = (said: string): CallToolResult => ({ content: [{ type: "text", text: said }] });

/** A server that follows a script, and remembers what it was asked. */
export class ScriptedProvider implements Provider {
  readonly script: Script;
  readonly calls: {
    readonly name: string;
    readonly args: Readonly<Record<string, unknown>>;
    readonly context: ProviderContext;
  }[] = [];
  readonly completed: CompleteRequestParams[] = [];
  readonly reads: string[] = [];
  readonly watched: string[] = [];
  readonly #listeners = new Set<(change: ProviderChange) => void>();
  state: ProviderState = "ready";
  lists = 0;
  retries = 0;
  closed = false;

  constructor(script: Partial<Script> = {}) {
    this.script = {
      tools: [],
      resources: [],
      templates: [],
      prompts: [],
      instructions: "",
      call: (name, args) => text(`${name} ${JSON.stringify(args)}`),
      read: (uri) => ({ contents: [{ uri, text: `contents of ${uri}` }] }),
      prompt: (name) => ({ messages: [{ role: "user", content: { type: "text", text: name } }] }),
      complete: () => ({ completion: { values: ["one"] } }),
      start: () => Promise.resolve(),
      ...script,
    };
  }

  async offers(): Promise<ProviderOffers> {
    await this.script.start();
    const { instructions } = this.script;
    return {
      tools: true,
      resources: true,
      prompts: true,
      completions: true,
      subscriptions: true,
      ...(instructions === "" ? {} : { instructions }),
    };
  }

  tools(): Promise<readonly Tool[]> {
    this.lists++;
    return Promise.resolve(this.script.tools);
  }

  resources(): Promise<readonly Resource[]> {
    return Promise.resolve(this.script.resources);
  }

  templates(): Promise<readonly ResourceTemplateType[]> {
    return Promise.resolve(this.script.templates);
  }

  prompts(): Promise<readonly Prompt[]> {
    return Promise.resolve(this.script.prompts);
  }

  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    context: ProviderContext,
  ): Promise<Answer<CallToolResult>> {
    this.calls.push({ name, args, context });
    return this.script.call(name, args, context);
  }

  async readResource(uri: string, context: ProviderContext): Promise<Answer<ReadResourceResult>> {
    this.reads.push(uri);
    return this.script.read(uri, context);
  }

  async getPrompt(name: string, args: Readonly<Record<string, string>>): Promise<Answer<GetPromptResult>> {
    return this.script.prompt(name, args);
  }

  async complete(params: CompleteRequestParams): Promise<CompleteResult> {
    this.completed.push(params);
    return this.script.complete(params);
  }

  async watch(uri: string): Promise<void> {
    this.watched.push(uri);
  }

  async unwatch(uri: string): Promise<void> {
    this.watched.splice(this.watched.indexOf(uri), 1);
  }

  onChange(listener: (change: ProviderChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  view(): ProviderView {
    return { state: this.state, transport: "stdio", since: 0, restarts: 0, connections: 0 };
  }

  retry(): void {
    this.retries++;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Tells the hub of a change, as a server's notification does. */
  tell(change: ProviderChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}
