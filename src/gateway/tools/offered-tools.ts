import type { JsonObject } from "../../dialects/dialect.ts";
import { asObject } from "../../engines/json-object.ts";
import type { Caller } from "../../keys/caller.ts";
import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";
import { objectsOf } from "../responses/objects-of.ts";
import type { HostedServer } from "./hosted-servers.ts";
import type { HostedTool } from "./tool-host.ts";
import { uniqueName } from "../../keys/tool-names.ts";
import { mayUseTool } from "../../keys/tool-scope.ts";

/** A tool of a registered server as the model knows it. */
export interface OfferedTool {
  /** Name of the function. */
  readonly name: string;
  readonly server: string;
  /** The tool's own name. */
  readonly tool: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  /** Somebody has to agree before it is called. */
  readonly approval: boolean;
}

export interface Listing {
  readonly server: HostedServer;
  readonly tools: readonly HostedTool[];
}

/** A prompt with more would leave no room for the question. */
const MOST_TOOLS = 256;
const MOST_BYTES = 512 * 1024;

/**
 * The tools that a request may use, under names that are unique among them and the client's own functions; refused when
 * they are more than a prompt should hold.
 */
export function offeredTools(
  listings: readonly Listing[],
  caller: Caller,
  clientNames: ReadonlySet<string>,
): readonly OfferedTool[] | WireError {
  const taken = new Set(clientNames);
  const offered: OfferedTool[] = [];
  for (const { server, tools } of listings) {
    for (const tool of tools) {
      if (server.allowed !== undefined && !server.allowed.includes(tool.name)) continue;
      if (!mayUseTool(caller, server.label, tool.name)) continue;
      const name = uniqueName(server.label, tool.name, taken);
      taken.add(name);
      offered.push({
        name,
        server: server.label,
        tool: tool.name,
        ...(tool.description === undefined ? {} : { description: tool.description }),
        inputSchema: tool.inputSchema,
        approval: tool.needsApproval || server.wantsApproval(tool.name),
      });
    }
  }
  const bytes = Buffer.byteLength(JSON.stringify(offered));
  if (offered.length <= MOST_TOOLS && bytes <= MOST_BYTES) return offered;
  return badRequest(
    "too_many_tools",
    `The tool servers of this request offer ${offered.length} tools of ${bytes} bytes; at most ${MOST_TOOLS} of ${MOST_BYTES} bytes fit. Choose some with allowed_tools.`,
    "tools",
  );
}

/** Names of the functions that the client runs itself, in the words of either dialect. */
export function clientFunctions(body: JsonObject): ReadonlySet<string> {
  const tools = objectsOf(body["tools"]);
  return new Set(
    tools.flatMap((tool) => {
      const name = asObject(tool["function"])?.["name"] ?? tool["name"];
      return tool["type"] !== "mcp" && typeof name === "string" ? name : [];
    }),
  );
}
