import type { JsonObject } from "../../src/dialects/dialect.ts";
import type {
  HostedTool,
  ToolCallContext,
  ToolHost,
  ToolOutcome,
} from "../../src/gateway/tools/tool-host.ts";

export interface ScriptedTool {
  readonly needsApproval?: boolean;
  readonly description?: string;
  readonly run: (args: JsonObject, context: ToolCallContext) => string | Promise<string>;
}

/** Tool servers whose tools are functions of the test; a tool that throws is a call that failed. */
export class ScriptedTools implements ToolHost {
  readonly calls: { readonly name: string; readonly args: JsonObject }[] = [];
  /** Calls that run now, and most that ever ran at the same time. */
  running = 0;
  most = 0;
  ended = 0;
  readonly #servers: Readonly<Record<string, Readonly<Record<string, ScriptedTool>>>>;

  constructor(servers: Readonly<Record<string, Readonly<Record<string, ScriptedTool>>>>) {
    this.#servers = servers;
  }

  servers(): readonly string[] {
    return Object.keys(this.#servers);
  }

  async list(server: string): Promise<readonly HostedTool[]> {
    return Object.entries(this.#servers[server] ?? {}).map(
      ([name, { needsApproval = false, description }]) => ({
        name,
        ...(description === undefined ? {} : { description }),
        inputSchema: { type: "object" },
        needsApproval,
      }),
    );
  }

  async call(server: string, tool: string, args: JsonObject, context: ToolCallContext): Promise<ToolOutcome> {
    this.calls.push({ name: `${server}/${tool}`, args });
    this.most = Math.max(this.most, ++this.running);
    context.signal.addEventListener("abort", () => this.ended++, { once: true });
    try {
      const text = await this.#servers[server]?.[tool]?.run(args, context);
      return { text: text ?? "no such tool", isError: text === undefined };
    } finally {
      this.running--;
    }
  }
}
