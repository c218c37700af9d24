import type { Tool } from "@modelcontextprotocol/server";

import { OmniError } from "../../src/core/index.ts";
import type {
  Asker,
  AuditEntry,
  AuditQuery,
  Hub,
  HubServer,
  PendingApproval,
  Pin,
} from "../../src/mcp/hub.ts";

type CallOf = Hub["callToolOf"];

const no = (): never => {
  throw new Error("the test does not ask for this");
};

/** A hub of two servers, one of them dead, that keeps what it was told. */
export class ScriptedHub implements Hub {
  readonly told: string[] = [];
  readonly calls: { readonly of: string; readonly asker: Asker; readonly context: Parameters<CallOf>[4] }[] =
    [];
  answer: (...asked: Parameters<CallOf>) => ReturnType<CallOf> = async () => ({
    content: [{ type: "text", text: "done" }],
  });
  pinned: Pin[] = [];
  waiting: PendingApproval[] = [];
  queries: AuditQuery[] = [];

  readonly instructions = no;
  readonly resources = no;
  readonly templates = no;
  readonly prompts = no;
  readonly callTool = no;
  readonly readResource = no;
  readonly getPrompt = no;
  readonly complete = no;
  readonly watch = no;
  readonly onChange = no;

  servers(): readonly HubServer[] {
    const common = { enabled: true, quarantined: 0, since: 0, restarts: 0, connections: 1 };
    return [
      { ...common, name: "files", state: "ready", transport: "filesystem", tools: 2 },
      { ...common, name: "web", state: "failed", transport: "stdio", tools: 0, reason: "it ended with 1" },
    ];
  }

  serversOf(): readonly string[] {
    return ["files", "web"];
  }

  async tools(): Promise<readonly Tool[]> {
    return [];
  }

  async toolsOf(server: string): ReturnType<Hub["toolsOf"]> {
    if (server !== "files")
      throw new OmniError("mcp.unreachable", `${server} cannot be started: it ended with 1.`);
    return [
      { tool: tool("read", { readOnlyHint: true }), needsApproval: false },
      { tool: tool("erase", {}), needsApproval: true },
    ];
  }

  async callToolOf(...asked: Parameters<CallOf>): ReturnType<CallOf> {
    const [server, name, , asker, context] = asked;
    this.calls.push({ of: `${server}/${name}`, asker, context });
    return this.answer(...asked);
  }

  pins(): readonly Pin[] {
    return this.pinned;
  }

  acceptPin(server: string, name: string, hash: string, by: string): void {
    const pin = this.pinned.find((one) => one.server === server && one.tool === name);
    if (pin === undefined) throw new OmniError("mcp.unknown-pin", `No tool ${name} of ${server} is pinned.`);
    if (pin.offered?.hash !== hash)
      throw new OmniError("mcp.pin-moved", `${name} of ${server} is another one now than was shown.`);
    this.told.push(`${by} accepted ${server}/${name}`);
  }

  approvals(): readonly PendingApproval[] {
    return this.waiting;
  }

  decide(id: string, approve: boolean, by: string): void {
    if (!this.waiting.some((pending) => pending.id === id))
      throw new OmniError("mcp.unknown-approval", `No call ${id} waits.`);
    this.told.push(`${by} ${approve ? "approved" : "denied"} ${id}`);
  }

  audit(query: AuditQuery): readonly AuditEntry[] {
    this.queries.push(query);
    return [];
  }

  retry(server: string): void {
    if (!this.serversOf().includes(server))
      throw new OmniError("mcp.unknown-server", `The node has no MCP server ${server}.`);
    this.told.push(`retry ${server}`);
  }

  async close(): Promise<void> {}
}

const tool = (name: string, annotations: NonNullable<Tool["annotations"]>): Tool => ({
  name,
  description: `${name} a file`,
  inputSchema: { type: "object" },
  annotations,
});
