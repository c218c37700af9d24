import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** How a fake MCP server is to behave. */
export interface FakeMcpSettings {
  readonly era?: "legacy" | "modern";
  /** What it does with `server/discover` where it is of the legacy era. */
  readonly onProbe?: "refuse" | "exit" | "silence";
  /** ms before it answers its handshake. */
  readonly slow?: number;
  /** Tools beside its own, for long lists; answered in pages of this size. */
  readonly manyTools?: number;
  readonly pageSize?: number;
  /** What it writes to its standard output before anything else. */
  readonly greeting?: string;
  /** Bytes of such lines of nothing. */
  readonly flood?: number;
  /** What it writes to its standard error at its start. */
  readonly complaint?: string;
  /** Ends at once with this exit code. */
  readonly exit?: number;
  /** Does not end when its standard input ends or on SIGTERM. */
  readonly stubborn?: boolean;
  readonly ttlMs?: number;
  /** Methods that it never answers. */
  readonly silentOn?: readonly string[];
}

type Message = Record<string, unknown>;
/** Where a message of the server goes: to the request's own stream where there is one. */
export type Reply = (message: Message) => void;

const TOOLS = [
  { name: "echo", annotations: { readOnlyHint: true } },
  { name: "count", annotations: { readOnlyHint: true } },
  { name: "sleep" },
  { name: "ask" },
  { name: "sample" },
  { name: "die" },
  { name: "die-readonly", annotations: { readOnlyHint: true } },
  { name: "big" },
  { name: "garbage" },
  { name: "leak" },
  { name: "log" },
  { name: "progress" },
  { name: "change" },
  { name: "meta" },
  { name: "confirm" },
  { name: "roots" },
  { name: "wrong", outputSchema: { type: "object", properties: { n: { type: "number" } }, required: ["n"] } },
  {
    name: "headers",
    inputSchema: { type: "object", properties: { region: { type: "string", "x-mcp-header": "Region" } } },
  },
].map((tool) => ({ description: `The tool ${tool.name}.`, inputSchema: { type: "object" }, ...tool }));

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: {},
  completions: {},
  logging: {},
};

/** The protocol of a fake server, by hand, so that it can be told to do what no library does. */
export class FakeMcp {
  readonly #settings: FakeMcpSettings;
  readonly #answers = new Map<unknown, (message: Message) => void>();
  readonly #running = new Map<unknown, AbortController>();
  readonly subscribed = new Set<unknown>();
  /** Methods in order of arrival. */
  readonly seen: string[] = [];
  readonly cancelled: unknown[] = [];
  /** Messages that belong to no request. */
  broadcast: Reply = () => {};
  calls = 0;
  level = "none";
  clientCapabilities: unknown;
  onDie: () => void = () => process.kill(process.pid, "SIGKILL");
  #asked = 0;

  constructor(settings: FakeMcpSettings) {
    this.#settings = settings;
  }

  async handle(message: Message, reply: Reply): Promise<void> {
    const { id, method } = message;
    if (typeof method !== "string") {
      this.#answers.get(id)?.(message);
      this.#answers.delete(id);
      return;
    }
    this.seen.push(method);
    const params = membersOf(message["params"]);
    if (id === undefined) {
      if (method === "notifications/cancelled") this.#cancel(params["requestId"]);
      return;
    }
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const result = await this.#result(method, params, reply, id, controller.signal);
      if (result === undefined || controller.signal.aborted) return;
      const typed = this.#settings.era === "modern" ? { resultType: "complete", ...result } : result;
      reply({ jsonrpc: "2.0", id, result: typed });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const code = error instanceof Refusal ? error.code : -32_603;
      reply({ jsonrpc: "2.0", id, error: { code, message: text } });
    } finally {
      this.#running.delete(id);
    }
  }

  #cancel(id: unknown): void {
    this.cancelled.push(id);
    this.#running.get(id)?.abort();
  }

  async #result(
    method: string,
    params: Message,
    reply: Reply,
    id: unknown,
    signal: AbortSignal,
  ): Promise<Message | undefined> {
    const modern = this.#settings.era === "modern";
    const serverInfo = { name: "fake", version: "1.2.3" };
    if (method === "server/discover") {
      if (!modern) return this.#refuseProbe();
      await sleep(this.#settings.slow ?? 0);
      const _meta = { "io.modelcontextprotocol/serverInfo": serverInfo };
      return {
        supportedVersions: ["2026-07-28"],
        capabilities: CAPABILITIES,
        instructions: "Be kind.",
        ...this.#cache(),
        _meta,
      };
    }
    if (method === "initialize") {
      if (modern) throw new Refusal(-32_601, "no");
      await sleep(this.#settings.slow ?? 0);
      this.clientCapabilities = params["capabilities"];
      return {
        protocolVersion: "2025-11-25",
        capabilities: CAPABILITIES,
        serverInfo,
        instructions: "Be kind.",
      };
    }
    if (this.#settings.silentOn?.includes(method) === true) return undefined;
    if (method === "subscriptions/listen") {
      const meta = { "io.modelcontextprotocol/subscriptionId": id };
      const notifications = membersOf(params["notifications"]);
      for (const uri of listOf(notifications["resourceSubscriptions"])) this.subscribed.add(uri);
      reply(notification("notifications/subscriptions/acknowledged", { notifications, _meta: meta }));
      this.broadcast = (message) =>
        reply({ ...message, params: { ...membersOf(message["params"]), _meta: meta } });
      return undefined;
    }
    return this.#serve(method, params, reply, signal);
  }

  #cache(): Message {
    return this.#settings.era === "modern" ? { ttlMs: this.#settings.ttlMs ?? 0, cacheScope: "private" } : {};
  }

  #refuseProbe(): undefined {
    const { onProbe = "refuse" } = this.#settings;
    if (onProbe === "exit") process.exit(1);
    if (onProbe === "silence") return undefined;
    throw new Refusal(-32_601, "Method not found");
  }

  async #serve(method: string, params: Message, reply: Reply, signal: AbortSignal): Promise<Message> {
    switch (method) {
      case "tools/list":
        return this.#page(params);
      case "resources/list":
        return { resources: [{ uri: "test://one", name: "one" }], ...this.#cache() };
      case "resources/templates/list":
        return { resourceTemplates: [{ uriTemplate: "test://{id}", name: "any" }], ...this.#cache() };
      case "prompts/list":
        return { prompts: [{ name: "greet" }], ...this.#cache() };
      case "resources/read":
        return { contents: [{ uri: params["uri"], text: "content" }], ...this.#cache() };
      case "prompts/get":
        return {
          messages: [
            { role: "user", content: { type: "text", text: `Hello ${JSON.stringify(params["arguments"])}` } },
          ],
        };
      case "completion/complete":
        return { completion: { values: ["one", "two"] } };
      case "resources/subscribe":
        this.subscribed.add(params["uri"]);
        return {};
      case "resources/unsubscribe":
        this.subscribed.delete(params["uri"]);
        return {};
      case "logging/setLevel":
        this.level = String(params["level"]);
        return {};
      case "tools/call":
        this.calls += 1;
        return this.#call(params, reply, signal);
      default:
        throw new Refusal(-32_601, `No ${method} here.`);
    }
  }

  #page(params: Message): Message {
    const { manyTools = 0, pageSize = Infinity } = this.#settings;
    const more = Array.from({ length: manyTools }, (_, index) => ({
      name: `tool-${index}`,
      inputSchema: { type: "object" },
    }));
    const all = [...TOOLS, ...more];
    const from = Number(params["cursor"] ?? 0);
    const end = from + pageSize;
    return {
      tools: all.slice(from, end),
      ...(end < all.length ? { nextCursor: String(end) } : {}),
      ...this.#cache(),
    };
  }

  async #call(params: Message, reply: Reply, signal: AbortSignal): Promise<Message> {
    const args = membersOf(params["arguments"]);
    const meta = membersOf(params["_meta"]);
    switch (params["name"]) {
      case "echo":
        return text(JSON.stringify({ args, pid: process.pid, env: Object.keys(process.env).toSorted() }));
      case "count":
        return text(String(this.calls));
      case "sleep":
        await sleep(Number(args["ms"] ?? 1000), undefined, { signal });
        return text("slept");
      case "ask": {
        await sleep(Number(args["wait"] ?? 0), undefined, { signal });
        const requestedSchema = { type: "object", properties: { name: { type: "string" } } };
        const answer = await this.#ask(
          "elicitation/create",
          { message: String(args["message"]), requestedSchema },
          // Many servers ask on the session's stream and not on that of the call.
          args["outside"] === true ? this.broadcast : reply,
        );
        return text(JSON.stringify(answer));
      }
      case "sample": {
        const messages = [{ role: "user", content: { type: "text", text: "Say a word" } }];
        return text(
          JSON.stringify(await this.#ask("sampling/createMessage", { messages, maxTokens: 10 }, reply)),
        );
      }
      case "die":
      case "die-readonly":
        this.onDie();
        return new Promise(() => {});
      case "big":
        return text("x".repeat(Number(args["bytes"])));
      case "leak": {
        // Ignores SIGTERM, and outlives its parent unless somebody ends the group.
        const child = spawn("/bin/sh", ["-c", "trap '' TERM; while :; do sleep 1; done"], {
          stdio: "ignore",
        });
        return text(String(child.pid));
      }
      case "log":
        reply(notification("notifications/message", { level: "info", data: args["text"] }));
        reply(notification("notifications/message", { level: "debug", data: "detail" }));
        await sleep(Number(args["wait"] ?? 0));
        return text("logged");
      case "progress":
        for (let step = 1; step <= Number(args["steps"]); step += 1) {
          await sleep(Number(args["wait"] ?? 0), undefined, { signal });
          reply(
            notification("notifications/progress", { progressToken: meta["progressToken"], progress: step }),
          );
        }
        return text("done");
      case "change":
        for (let time = 0; time < Number(args["times"] ?? 1); time += 1) {
          this.broadcast(notification("notifications/tools/list_changed", {}));
        }
        this.broadcast(notification("notifications/resources/updated", { uri: "test://one" }));
        return text("changed");
      case "meta":
        return text(JSON.stringify({ meta, level: this.level, capabilities: this.clientCapabilities }));
      case "confirm": {
        const answers = params["inputResponses"];
        if (answers !== undefined) return text(JSON.stringify({ answers, state: params["requestState"] }));
        const requestedSchema = { type: "object", properties: {} };
        const inputRequests = {
          sure: { method: "elicitation/create", params: { mode: "form", message: "Sure?", requestedSchema } },
        };
        return { resultType: "input_required", inputRequests, requestState: "state-1" };
      }
      case "roots":
        if (this.#settings.era !== "modern")
          return text(JSON.stringify(await this.#ask("roots/list", {}, reply)));
        return {
          resultType: "input_required",
          inputRequests: { roots: { method: "roots/list" } },
          requestState: "s",
        };
      case "wrong":
        return { content: [], structuredContent: { n: "no number" } };
      case "headers":
        return text("headers");
      default:
        return { ...text(`no tool ${String(params["name"])}`), isError: true };
    }
  }

  #ask(method: string, params: Message, reply: Reply): Promise<unknown> {
    this.#asked += 1;
    const id = `question-${this.#asked}`;
    return new Promise((resolve) => {
      this.#answers.set(id, (message) => resolve(message["error"] ?? message["result"]));
      reply({ jsonrpc: "2.0", id, method, params });
    });
  }
}

export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const notification = (method: string, params: Message): Message => ({
  jsonrpc: "2.0",
  method,
  params,
});
const text = (words: string): Message => ({ content: [{ type: "text", text: words }] });

export function membersOf(value: unknown): Message {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
