import { formatDuration } from "../../core/index.ts";
import type { NodeEvent } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { RunningNode } from "../running-node.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** What a person at the terminal must hear of while the node runs; all else is in `omni events`. */
export function tell(event: NodeEvent, terminal: Terminal): void {
  const colour = event.severity === "error" ? "red" : event.severity === "warning" ? "yellow" : "green";
  terminal.err(
    `${terminal.styleErr("dim", new Date(event.time).toLocaleTimeString("sv-SE"))} ${terminal.styleErr(colour, event.kind)} ${event.message}`,
  );
}

export interface Start {
  /** Milliseconds until the first service was ready. */
  readonly elapsed: number;
  readonly asksForKey: boolean;
}

/** Says that the node serves, and how it is asked. */
export function announce(
  node: RunningNode,
  plan: Plan,
  { elapsed, asksForKey }: Start,
  terminal: Terminal,
): void {
  const { style } = terminal;
  const rows = node
    .services()
    .map((service) => [
      `  ${style("bold", service.name)}`,
      style(service.state === "ready" ? "green" : "yellow", service.state),
      service.engine === "embedded" ? "embedded llama.cpp" : service.engine,
      (service.devices ?? []).join(" + "),
      workOf(service),
    ]);
  const model = plan.routes[0]?.name ?? "";
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "What is Omni?" }] });
  terminal.out("");
  terminal.out(table(rows));
  terminal.out("");
  if (node.services().some((service) => service.simulated === true))
    terminal.out(style("yellow", "SIMULATED: engines and cards are simulated; no model answers here."));
  terminal.out(`Ready after ${formatDuration(elapsed)}. Try:`);
  terminal.out("");
  terminal.out(`  curl ${node.url}/v1/chat/completions -H 'content-type: application/json' \\`);
  if (asksForKey) terminal.out(`    -H "authorization: Bearer $OMNI_KEY" \\`);
  terminal.out(`    -d '${body.replaceAll("'", String.raw`'\''`)}'`);
  terminal.out("");
  terminal.out(
    `Also: ./omni chat, ./omni status, ./omni events. ${style("dim", "Ctrl-C stops everything.")}`,
  );
}

/** What a service takes at a time; engines that read no tokens have no context. */
const workOf = ({ contextTokens, parallel }: ReturnType<RunningNode["services"]>[number]): string => {
  const requests = parallel === 1 ? "1 request" : `${parallel} requests`;
  return contextTokens > 0 ? `${contextTokens} tokens × ${requests}` : requests;
};
