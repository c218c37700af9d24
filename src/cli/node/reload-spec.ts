import { messageOf, OmniError } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import { readKeys } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { ReloadAnswer, RunningNode } from "../running-node.ts";
import { gatewaySettings } from "./gateway-settings.ts";
import type { UpPlan } from "./up-plan.ts";

interface Wanted {
  readonly located: LocatedSpec;
  readonly decided: UpPlan;
}

/** What the node was started with and only a restart changes. */
interface Fixed {
  readonly plan: Plan;
  readonly gateway: { readonly workers: number; readonly metricsPath?: string };
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
    const { located, decided } = await read();
    const { plan, again } = decided;
    const keys = await readKeys(located);
    const gateway = await gatewaySettings(located);
    const changes = await node.reload({ located, plan, planAgain: again, keys, gateway });
    return {
      ok: true,
      changes: [...changes, ...needRestart(before, plan, gateway)],
      diagnostics: plan.diagnostics,
    };
  } catch (thrown) {
    return { ok: false, changes: [], diagnostics: findings(thrown) };
  }
}

/** What of another spec waits for the next start. */
function needRestart({ plan, gateway }: Fixed, next: Plan, settings: Fixed["gateway"]): string[] {
  const told: string[] = [];
  const changed = (path: string, is: boolean): void => {
    if (is) told.push(`${path} changes with the next start of the node.`);
  };
  changed("gateway.host", plan.gateway.host !== next.gateway.host);
  changed("gateway.port", plan.gateway.port !== next.gateway.port);
  changed("gateway.workers", gateway.workers !== settings.workers);
  changed("telemetry.metrics", gateway.metricsPath !== settings.metricsPath);
  return told;
}

function findings(thrown: unknown): readonly Diagnostic[] {
  if (!(thrown instanceof OmniError)) {
    return [{ code: "cli.internal", severity: "error", message: messageOf(thrown) }];
  }
  return thrown.diagnostics.length > 0 ? thrown.diagnostics : [thrown.toDiagnostic()];
}
