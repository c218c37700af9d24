import { z } from "zod";

import { table } from "../terminal.ts";
import { tell } from "./mcp-action.ts";
import type { RunAction } from "./mcp-action.ts";

const TOOL = z.object({
  server: z.string(),
  tool: z.string(),
  name: z.string(),
  description: z.string().optional(),
  readOnly: z.boolean(),
  destructive: z.boolean(),
  needsApproval: z.boolean(),
  quarantined: z.boolean(),
});
const TOOLS = z.object({
  tools: z.array(TOOL),
  failed: z.array(z.object({ server: z.string(), message: z.string() })),
});
type ListedTool = z.infer<typeof TOOL>;

/** Characters of a description in the list. */
const ABOUT = 70;

/** `omni mcp tools [--server NAME]`: what clients may call, and which calls a person has to approve. */
export const showTools: RunAction = async (action) => {
  const { invocation, terminal, api } = action;
  const listed = await api.get("tools", TOOLS, { server: invocation.value("server") });
  return tell(action, listed, () => {
    const { style } = terminal;
    const head = ["TOOL", "SERVER", "DOES", "APPROVAL", "ABOUT"].map((cell) => style("dim", cell));
    const rows = listed.tools.map((tool) => [
      style("bold", tool.name),
      tool.server,
      doesText(tool, style),
      tool.needsApproval ? "a person" : "none",
      firstLine(tool.description ?? ""),
    ]);
    const failed = listed.failed.map(({ server, message }) => style("red", `${server}: ${message}`));
    if (rows.length === 0) return ["No tools.", ...failed].join("\n");
    return [table([head, ...rows]), ...failed].join("\n");
  });
};

type Style = Parameters<RunAction>[0]["terminal"]["style"];

function doesText({ quarantined, readOnly, destructive }: ListedTool, style: Style): string {
  if (quarantined) return style("red", "quarantined");
  if (readOnly) return "reads";
  return destructive ? style("yellow", "may destroy") : "changes";
}

function firstLine(text: string): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, " ").trim();
  return line.length <= ABOUT ? line : `${line.slice(0, ABOUT - 1)}…`;
}
