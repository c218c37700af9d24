import { z } from "zod";
import { EXIT, OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";
import { authorization, nodeUrl, request, URL_OPTION } from "../node-client.ts";
import { reportDiagnostics } from "../report.ts";

const ANSWER = z.object({
  ok: z.boolean(),
  changes: z.array(z.string()),
  diagnostics: z.array(z.custom<Diagnostic>((value) => typeof value === "object" && value !== null)),
});

export const reload: Command = {
  name: "reload",
  summary: "Have the running node read its spec anew and take over what changed, without a pause.",
  positionals: [],
  options: { json: JSON_OPTION, url: URL_OPTION },
  examples: [
    ["reload", "routes, keys and bounds from the next request on; changed services after their drain"],
    ["up --dry-run", "what would change, before it does"],
  ],
  run: async (invocation, terminal) => {
    const response = await request(`${nodeUrl(invocation)}/api/reload`, {
      method: "POST",
      headers: authorization(),
    });
    const parsed = ANSWER.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success)
      throw new OmniError(
        "cli.no-node",
        `${new URL(response.url).origin} answers, but not as a node of Omni does.`,
      );
    const { ok, changes, diagnostics } = parsed.data;
    if (invocation.flag("json")) terminal.out(JSON.stringify(parsed.data, null, 2));
    else {
      reportDiagnostics(diagnostics, terminal);
      for (const change of changes) terminal.out(change);
      if (ok && changes.length === 0) terminal.out("The spec is in force; no service had to be touched.");
      if (!ok) terminal.err("Nothing was changed; the node goes on as it was.");
    }
    return ok ? EXIT.done : EXIT.input;
  },
};
