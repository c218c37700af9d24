import { messageOf, OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { SpecKey } from "../../keys/index.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { ReloadAnswer, RunningNode } from "../running-node.ts";
import { gatewaySettings } from "./gateway-settings.ts";
import type { GatewaySettings } from "./gateway-settings.ts";
import type { UpPlan } from "./up-plan.ts";

/** What another spec came to, before anything of it is taken over. */
export interface Wanted {
  readonly located: LocatedSpec;
  readonly decided: UpPlan;
  readonly keys: readonly SpecKey[];
}

/** What the node was started with and only a restart changes. */
interface Fixed {
  readonly plan: Plan;
  readonly gateway: GatewaySettings;
}

/**
 * Reads the spec anew and has a running node take over what changed: services are replaced one by one as their own drain
 * allows, routes, keys and bounds from the next request on. A spec that is wrong changes nothing. Never rejects.
 */
export async function reloadSpec(
  node: RunningNode,
  read: () => Promise<Wanted>,
  before: Fixed,
): Promise<ReloadAnswer> {
  try {
    const { located, decided, keys } = await read();
    const { plan, again, ground } = decided;
    const gateway = await gatewaySettings(located);
    const changes = await node.reload({ located, plan, planAgain: again, ground, keys, gateway });
    return {
      ok: true,
      changes: [...changes, ...needRestart(before, plan, gateway)],
      diagnostics: plan.diagnostics,
    };
  } catch (thrown) {
    return { ok: false, changes: [], diagnostics: findings(thrown) };
  }
}

/** What of MCP is decided with the endpoint; the rest is the hub's, which takes it over at once. */
const MCP_AT_START = ["enabled", "path", "legacySse", "sessions", "sessionIdle", "oauth"] as const;

/** What of another spec waits for the next start. */
function needRestart({ plan, gateway }: Fixed, next: Plan, settings: GatewaySettings): string[] {
  const told: string[] = [];
  const changed = (path: string, is: boolean): void => {
    if (is) told.push(`${path} changes with the next start of the node.`);
  };
  changed("gateway.host", plan.gateway.host !== next.gateway.host);
  changed("gateway.port", plan.gateway.port !== next.gateway.port);
  changed("gateway.workers", gateway.workers !== settings.workers);
  // Another certificate is taken over; whether there is one at all is decided with the port.
  changed("gateway.tls", (gateway.tls === undefined) !== (settings.tls === undefined));
  changed("gateway.anthropic", gateway.anthropic !== settings.anthropic);
  for (const name of MCP_AT_START)
    changed(`gateway.mcp.${name}`, differ(gateway.mcp[name], settings.mcp[name]));
  changed("telemetry.metrics", gateway.metricsPath !== settings.metricsPath);
  changed("telemetry.logs", differ(gateway.telemetry.logs, settings.telemetry.logs));
  changed("telemetry.traces", differ(gateway.telemetry.traces, settings.telemetry.traces));
  return told;
}

const differ = (one: unknown, other: unknown): boolean => JSON.stringify(one) !== JSON.stringify(other);

function findings(thrown: unknown): readonly Diagnostic[] {
  if (!(thrown instanceof OmniError)) {
    return [{ code: "cli.internal", severity: "error", message: messageOf(thrown) }];
  }
  return thrown.diagnostics.length > 0 ? thrown.diagnostics : [thrown.toDiagnostic()];
}
