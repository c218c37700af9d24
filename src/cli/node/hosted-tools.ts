import { isInputRequiredResult } from "@modelcontextprotocol/server";
import type { CallToolResult } from "@modelcontextprotocol/server";

import { asObject } from "../../engines/json-object.ts";
import type { ToolCallContext, ToolHost, ToolOutcome } from "../../gateway/tools/tool-host.ts";
import type { Caller } from "../../keys/index.ts";
import type { Asker, Hub } from "../../mcp/index.ts";
import { DEPTH_META } from "../../mcp/node/depth.ts";

/** The servers of MCP as tools of models' requests: the same policy, rates, approval and audit as for every client. */
export function hostedTools(hub: Hub): ToolHost {
  return {
    servers: (caller) => hub.serversOf(inside(caller)),
    async list(server, caller, signal) {
      const offered = await hub.toolsOf(server, inside(caller), signal);
      return offered.map(({ tool: { name, description, inputSchema }, needsApproval }) => ({
        name,
        ...(description === undefined ? {} : { description }),
        inputSchema: asObject(inputSchema) ?? { type: "object" },
        needsApproval,
      }));
    },
    async call(server, tool, args, context) {
      const result = await hub.callToolOf(server, tool, args, inside(context.caller), {
        request: context.request,
        signal: context.signal,
        // A model's request has nobody who answers a form in the middle of it.
        capabilities: {},
        ...(context.approved === true ? { approved: true } : {}),
        ...metaOf(context),
      });
      return isInputRequiredResult(result)
        ? {
            text: `The tool ${tool} of ${server} asks the person at the client for something, which cannot be done within a model's request. Call it over MCP.`,
            isError: true,
          }
        : outcomeOf(result);
    },
  };
}

const inside = (caller: Caller): Asker => ({ caller, channel: "inside" });

const metaOf = ({ depth }: ToolCallContext): { readonly meta?: Readonly<Record<string, unknown>> } =>
  depth === undefined ? {} : { meta: { [DEPTH_META]: depth } };

/** The hub keeps the server's bound of an answer, the request's own is kept by who runs its tools. */
function outcomeOf({ content, structuredContent, isError }: CallToolResult): ToolOutcome {
  const said = content.map(textOf).join("\n");
  const text = said === "" && structuredContent !== undefined ? JSON.stringify(structuredContent) : said;
  return { text, isError: isError === true };
}

/** What is no text is named, so that the model knows that there was more. */
function textOf(part: CallToolResult["content"][number]): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "image":
    case "audio":
      return `[${part.type}, ${part.mimeType}, ${Math.floor((part.data.length * 3) / 4)} bytes]`;
    case "resource_link":
      return `[resource ${part.uri}${part.description === undefined ? "" : `: ${part.description}`}]`;
    case "resource":
      return "text" in part.resource
        ? `[resource ${part.resource.uri}]\n${part.resource.text}`
        : `[resource ${part.resource.uri}, ${part.resource.mimeType ?? "binary"}]`;
  }
}
