import { z } from "zod";

import { formatBytes, formatDuration } from "../../core/index.ts";
import { integerOption } from "../command.ts";
import { table } from "../terminal.ts";
import { instant, tell } from "./mcp-action.ts";
import type { RunAction } from "./mcp-action.ts";

const ENTRY = z.looseObject({
  seq: z.number(),
  time: z.number(),
  key: z.string(),
  channel: z.string(),
  server: z.string(),
  method: z.string(),
  name: z.string(),
  shape: z.string(),
  resultBytes: z.number(),
  outcome: z.string(),
  code: z.string().optional(),
  duration: z.number(),
  approvedBy: z.string().optional(),
});
const AUDIT = z.object({ audit: z.array(ENTRY) });

const USUAL = 50;

/** `omni mcp audit`: who called what, what came of it and how long it took; shapes of arguments, never their values. */
export const showAudit: RunAction = async (action) => {
  const { invocation, terminal, api } = action;
  const limit = integerOption(invocation, "limit", [1, 1000]) ?? USUAL;
  const { audit } = await api.get("audit", AUDIT, {
    limit: String(limit),
    key: invocation.value("key"),
    server: invocation.value("server"),
    outcome: invocation.value("outcome"),
  });
  return tell(action, { audit }, () => {
    if (audit.length === 0) return "Nothing of that kind was called.";
    const { style } = terminal;
    const head = ["TIME", "KEY", "BY", "WHAT", "OUTCOME", "TOOK", "RESULT", "ARGUMENTS"].map((cell) =>
      style("dim", cell),
    );
    const rows = audit
      .toSorted((a, b) => a.seq - b.seq)
      .map((entry) => [
        instant(entry.time),
        entry.key,
        entry.channel,
        `${entry.server} ${entry.name}`,
        style(
          entry.outcome === "ok" ? "green" : entry.outcome === "error" ? "red" : "yellow",
          outcomeText(entry),
        ),
        formatDuration(entry.duration),
        formatBytes(entry.resultBytes),
        entry.shape,
      ]);
    return table([head, ...rows]);
  });
};

const outcomeText = ({ outcome, code, approvedBy }: z.infer<typeof ENTRY>): string =>
  [
    outcome,
    ...(code === undefined ? [] : [code]),
    ...(approvedBy === undefined ? [] : [`approved by ${approvedBy}`]),
  ].join(", ");
