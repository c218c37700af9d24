import { OmniError } from "../../core/index.ts";
import type { Hub } from "../../mcp/index.ts";
import { createHub } from "../../mcp/hub/create-hub.ts";
import { isExposed, serverPolicy } from "../../mcp/policy/server-policy.ts";
import { openMcpBook } from "../../store/mcp-book.ts";
import { createToolServer, isUpstream } from "../node/tools/tool-servers.ts";
import { locateSpec } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { stateFolder } from "../state-folder.ts";
import type { Terminal } from "../terminal.ts";
import { toldEvents } from "./told-events.ts";

/**
 * The servers of a spec that are offered over stdio, without a node. Pins and the audit are those of the state folder. Throws
 * `OmniError` for a spec that is wrong or offers none.
 */
export async function standaloneHub(file: string | undefined, terminal: Terminal): Promise<Hub> {
  const located = await locateSpec(file, undefined);
  const tools = offeredTools(located);
  const { mcp } = located.spec.gateway;
  const state = stateFolder();
  const events = toldEvents(terminal);
  const servers = await Promise.all(
    tools.map(async ([name, tool]) => ({
      name,
      provider: await createToolServer(name, tool, { located, stateFolder: state, events }),
      upstream: isUpstream(tool),
      // The person at the client is the one who started this; there is no node whose operator could be asked.
      policy: {
        ...serverPolicy(tool),
        approver: tool.approver === "operator" ? tool.approver : ("client" as const),
      },
    })),
  );
  const book = openMcpBook(state, located.spec.telemetry.retention.audit);
  terminal.err(
    `omni mcp: no node is asked; ${located.origin} offers ${tools.map(([name]) => name).join(", ")}.`,
  );
  for (const [name, { approver }] of tools)
    if (approver === "operator")
      terminal.err(
        `omni mcp: tools.${name} asks the node's operator for approval, who is nobody without a node.`,
      );
  const hub = createHub({
    servers,
    prefix: mcp.prefix,
    searchAbove: mcp.searchAbove,
    approvalTimeout: mcp.approvalTimeout,
    auditArguments: mcp.auditArguments,
    events,
    book,
  });
  return closingBook(hub, () => book.close());
}

type Tools = readonly (readonly [name: string, tool: LocatedSpec["spec"]["tools"][string]])[];

function offeredTools({ spec, origin }: LocatedSpec): Tools {
  const tools = Object.entries(spec.tools).filter(
    ([, tool]) => tool.node === undefined && isExposed(serverPolicy(tool), "stdio"),
  );
  if (tools.length > 0) return tools;
  throw new OmniError(
    "cli.no-node",
    `No node runs on this machine, and ${origin} offers no MCP servers over stdio.`,
    {
      hint: "Start the node with ./omni up, name one with --url, or give the spec tools: without an exposure, or with stdio in it.",
    },
  );
}

/** The hub, with the book closed behind it. */
function closingBook(hub: Hub, close: () => void): Hub {
  const end = hub.close.bind(hub);
  hub.close = async () => {
    await end();
    close();
  };
  return hub;
}
