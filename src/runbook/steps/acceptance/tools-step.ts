import { toolCalls } from "../../../acceptance/index.ts";
import type { ToolCheck } from "../../../acceptance/index.ts";
import { OmniError } from "../../../core/index.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Step } from "../../step.ts";
import { gatewaySpec, plainAt } from "./gateway-place.ts";
import { measuringStep } from "./measuring-step.ts";

/** A call of each of the gateway's own servers that reads and changes nothing; none where it serves no tools. */
export function toolsStep(input: RunbookInput): readonly Step[] {
  const spec = gatewaySpec(input.deployment);
  const tools = plainAt(spec, "tools");
  const checks = Object.keys(tools).flatMap((server) => checkOf(server, plainAt(tools, server)));
  if (!input.deployment.gateway.mcp || Object.keys(tools).length === 0) return [];
  const { path } = plainAt(plainAt(spec, "gateway"), "mcp");
  const at = typeof path === "string" ? path : "/mcp";
  return [
    measuringStep(input, {
      id: "tools",
      title: "Tools are listed and called over MCP",
      asked: "tools",
      needs: ["health"],
      inputs: { tools, at },
      timeout: 5 * 60_000,
      preview: [`list the tools at ${at}`, ...checks.map(({ server, tool }) => `call ${server}: ${tool}`)],
      measure: async (client, { signal }) => {
        const { tools: count, outcomes } = await toolCalls(client, at, checks, signal);
        const failed = outcomes.filter(({ answered }) => !answered);
        const lines = outcomes.map(({ server, tool, text }) => `${server} ${tool}: ${text}`);
        if (failed.length === 0) return [`${count} tools at ${client.origin}${at}`, ...lines];
        throw new OmniError(
          "acceptance.failed",
          failed.map(({ server, tool, text }) => `${server} does not answer ${tool}: ${text}`).join("; "),
        );
      },
    }),
  ];
}

/** What a server of this kind is asked; nothing of those elsewhere, whose tools only they know. */
function checkOf(server: string, tool: Readonly<Record<string, unknown>>): readonly ToolCheck[] {
  if (tool["enabled"] === false) return [];
  const [root] = Object.keys(plainAt(plainAt(tool, "filesystem"), "roots"));
  if (root !== undefined) return [{ server, tool: "list_directory", arguments: { path: root, limit: 5 } }];
  if (tool["postgres"] !== undefined) return [{ server, tool: "list_schemas", arguments: {} }];
  const node = plainAt(tool, "node");
  return tool["node"] !== undefined && node["read"] !== false
    ? [{ server, tool: "list_models", arguments: {} }]
    : [];
}
