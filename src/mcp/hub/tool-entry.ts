import type { Tool } from "@modelcontextprotocol/server";
import { functionName, plainName, uniqueName } from "../../keys/tool-names.ts";
import { believesHints, isReadOnly, needsApproval } from "../policy/tool-nature.ts";
import type { ServerPolicy } from "../policy/server-policy.ts";
import type { ServerLink } from "./server-link.ts";

/** One tool of one server with everything decided that does not depend on who asks. */
export interface ToolEntry {
  readonly link: ServerLink;
  /** As the server defined it. */
  readonly tool: Tool;
  /** As clients know it. */
  readonly name: string;
  readonly shown: Tool;
  readonly plain: string;
  readonly readOnly: boolean;
  readonly needsApproval: boolean;
  /** Why nobody may call it now: its definition is not the accepted one. */
  readonly quarantine?: Quarantine;
}

export interface Quarantine {
  readonly code: "mcp.quarantined" | "mcp.pins-unreadable";
  /** Hash of the definition that is offered now. */
  readonly offered: string;
}

/** What judges definitions: by name of the tool what is wrong with it. */
export type Judgement = ReadonlyMap<string, Quarantine>;

/** All tools of a server in the order of their names. A name that comes twice counts once. */
export function toolEntries(
  link: ServerLink,
  tools: readonly Tool[],
  policy: ServerPolicy,
  prefix: boolean,
  judgement: Judgement,
): readonly ToolEntry[] {
  const byName = new Map<string, Tool>();
  for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  const names = clientNames(link.name, [...byName.keys()], prefix);
  return [...byName.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((tool) => entryOf(link, tool, names.get(tool.name) ?? tool.name, policy, judgement.get(tool.name)));
}

function entryOf(
  link: ServerLink,
  tool: Tool,
  name: string,
  policy: ServerPolicy,
  quarantine: Quarantine | undefined,
): ToolEntry {
  const believed = believesHints(link.upstream, policy) && quarantine === undefined;
  return {
    link,
    tool,
    name,
    shown: shownOf(tool, name, link.scheme),
    plain: plainName(link.name, tool.name),
    readOnly: isReadOnly(tool, believed),
    needsApproval: needsApproval(tool, policy, believed),
    ...(quarantine === undefined ? {} : { quarantine }),
  };
}

/** With its name, and the address of its page (MCP Apps), as clients know them. */
function shownOf(tool: Tool, name: string, scheme: string): Tool {
  const ui = tool._meta?.["ui"];
  if (scheme === "" || typeof ui !== "object" || ui === null || !("resourceUri" in ui))
    return Object.freeze({ ...tool, name });
  const resourceUri = `${scheme}${String(ui.resourceUri)}`;
  return Object.freeze({ ...tool, name, _meta: { ...tool._meta, ui: { ...ui, resourceUri } } });
}

/**
 * Names for clients by own names. Those that are names already come first, so that no other one of the same server takes
 * theirs by being written like the end of a hash; the order is that of the names, so that it is the same every time.
 */
export function clientNames(
  server: string,
  names: readonly string[],
  prefix: boolean,
): ReadonlyMap<string, string> {
  if (!prefix) return new Map(names.map((name) => [name, name]));
  const taken = new Set<string>();
  const given = new Map<string, string>();
  const isPlain = (name: string): boolean => functionName(server, name) === plainName(server, name);
  const sorted = names.toSorted();
  for (const name of [...sorted.filter(isPlain), ...sorted.filter((name) => !isPlain(name))]) {
    const unique = uniqueName(server, name, taken);
    taken.add(unique);
    given.set(name, unique);
  }
  return given;
}
