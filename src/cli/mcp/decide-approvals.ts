import { z } from "zod";

import { formatDuration } from "../../core/index.ts";
import { table, withoutControl } from "../terminal.ts";
import { argument, tell } from "./mcp-action.ts";
import type { RunAction } from "./mcp-action.ts";

const PENDING = z.object({
  id: z.string(),
  key: z.string(),
  server: z.string(),
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  asked: z.number(),
  until: z.number(),
});
const APPROVALS = z.object({ approvals: z.array(PENDING) });

/** `omni mcp approvals`: calls that wait for a person, with what they would be called with. */
export const showApprovals: RunAction = async (action) => {
  const { terminal, api } = action;
  const { approvals } = await api.get("approvals", APPROVALS);
  return tell(action, { approvals }, () => {
    if (approvals.length === 0) return "No call waits for approval.";
    const { style } = terminal;
    const now = Date.now();
    const head = ["ID", "KEY", "TOOL", "WAITS", "LEFT"].map((cell) => style("dim", cell));
    const rows = approvals.map((pending) => [
      style("bold", pending.id),
      pending.key,
      `${pending.server} ${pending.tool}`,
      formatDuration(Math.max(0, now - pending.asked)),
      formatDuration(Math.max(0, pending.until - now)),
    ]);
    const details = approvals.map(
      ({ id, arguments: args }) =>
        `\n${style("bold", id)} would be called with\n${withoutControl(JSON.stringify(args, null, 2))}`,
    );
    return [table([head, ...rows]), ...details].join("\n");
  });
};

const DECIDED = z.object({ id: z.string(), approved: z.boolean(), message: z.string() });

/** `omni mcp approve ID` and `omni mcp deny ID`. */
export const decideApproval =
  (approve: boolean): RunAction =>
  async (action) => {
    const { invocation, api } = action;
    const id = argument(action, 1, "ID");
    if (invocation.flag("dry-run")) {
      const { approvals } = await api.get("approvals", APPROVALS);
      const pending = approvals.find((one) => one.id === id) ?? null;
      const what =
        pending === null
          ? `no call of id ${id} waits.`
          : `${pending.tool} of ${pending.server} for ${pending.key}.`;
      return tell(
        action,
        { dryRun: true, id, approve, pending },
        () => `Would ${approve ? "approve" : "deny"}: ${what}`,
      );
    }
    const answer = await api.post(`approvals/${encodeURIComponent(id)}`, { approve }, DECIDED);
    return tell(action, answer, () => answer.message);
  };
