import { EXIT, nearest, OmniError } from "../../core/index.ts";
import { SERVICE_ACTIONS } from "../../supervisor/service-control.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";
import { nodeUrl, URL_OPTION } from "../node-client.ts";
import { orderService } from "../order-service.ts";

export const service: Command = {
  name: "service",
  summary: "Load, unload, restart or drain a service of the running node, or step its ladder.",
  positionals: [
    { name: "ACTION", required: true, completes: "none" },
    { name: "NAME", required: true, completes: "none" },
  ],
  options: { json: JSON_OPTION, url: URL_OPTION },
  examples: [
    ["service load flux", "load it now, and unload who has its card"],
    ["service unload oracle", "let its answers finish and free its card until it is asked for"],
    ["service restart oracle", "let its answers finish, then start it again"],
    ["service drain oracle", "take nothing new; service resume oracle ends that"],
    ["service step-down oracle", "one step of its contingency ladder; step-up takes it back"],
  ],
  run: async (invocation, terminal) => {
    const [action = "", name = ""] = invocation.positionals;
    if (!SERVICE_ACTIONS.some((known) => known === action)) {
      const meant = nearest(action, SERVICE_ACTIONS);
      throw new OmniError("cli.bad-argument", `${JSON.stringify(action)} is nothing that a service does.`, {
        hint:
          meant === undefined
            ? `One of: ${SERVICE_ACTIONS.join(", ")}.`
            : `Did you mean ./omni service ${meant} ${name}?`,
      });
    }
    const answer = await orderService(nodeUrl(invocation), name, action);
    if (invocation.flag("json")) terminal.out(JSON.stringify(answer, null, 2));
    else if (answer.ok) terminal.out(answer.message);
    else terminal.err(answer.message);
    return answer.ok ? EXIT.done : EXIT.failed;
  },
};
