import { z } from "zod";
import { EXIT, formatDuration } from "../../core/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";
import { getJson, nodeUrl, URL_OPTION } from "../node-client.ts";
import { reportDiagnostics } from "../report.ts";
import { ladderText, stateStyle, stateText } from "../service-text.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

const SERVICE = z.object({
  name: z.string(),
  engine: z.string(),
  model: z.string(),
  state: z.string(),
  reason: z.string().optional(),
  progress: z.number().optional(),
  restarts: z.number(),
  contextTokens: z.number(),
  parallel: z.number(),
  since: z.number(),
  eta: z.number().optional(),
  devices: z.array(z.string()).optional(),
  inFlight: z.number().optional(),
  ladder: z
    .object({
      rung: z.number(),
      changes: z.array(z.string()),
      because: z.string(),
      since: z.number(),
      backWhen: z.string(),
    })
    .optional(),
  divertedTo: z.string().optional(),
  longPrompts: z.object({ above: z.number(), to: z.string() }).optional(),
  simulated: z.boolean().optional(),
  adopted: z.boolean().optional(),
});
const DIAGNOSTIC = z.custom<Diagnostic>(
  (value) => typeof value === "object" && value !== null && "code" in value,
);
const STATUS = z.looseObject({
  version: z.string(),
  url: z.string(),
  /** Milliseconds since the gateway began to listen. */
  uptime: z.number(),
  services: z.array(SERVICE.loose()),
  routes: z.array(z.object({ name: z.string(), services: z.array(z.string()) })),
  diagnostics: z.array(DIAGNOSTIC),
});
type NodeStatus = z.infer<typeof STATUS>;

export const status: Command = {
  name: "status",
  summary: "Show what the running node serves, and in which state.",
  positionals: [],
  options: { json: JSON_OPTION, url: URL_OPTION },
  examples: [
    ["status", "services, their engine and state"],
    ["status --json", "the same for a program"],
  ],
  run: async (invocation, terminal) => {
    const node = await getJson(nodeUrl(invocation), "/api/status", STATUS);
    if (invocation.flag("json")) terminal.out(JSON.stringify(node, null, 2));
    else printStatus(node, terminal);
    return EXIT.done;
  },
};

function printStatus(node: NodeStatus, terminal: Terminal): void {
  const { style } = terminal;
  terminal.out(`${style("bold", node.url)}  omni ${node.version}, up ${formatDuration(node.uptime)}`);
  terminal.out("");
  terminal.out(
    table([
      ["SERVICE", "STATE", "SINCE", "ENGINE", "MODEL", "ON", "CONTEXT", "REQUESTS", "RESTARTS"].map((head) =>
        style("dim", head),
      ),
      ...node.services.map((service) => [
        style("bold", service.name),
        style(stateStyle(service.state), stateText(service)),
        formatDuration(Date.now() - service.since),
        service.engine,
        service.model,
        (service.devices ?? []).join(" + "),
        `${service.contextTokens} tokens`,
        `${service.inFlight ?? 0} of ${service.parallel}`,
        String(service.restarts),
      ]),
    ]),
  );
  for (const service of node.services) {
    if (service.reason !== undefined) terminal.out(`${service.name}: ${service.reason}`);
    if (service.ladder !== undefined) terminal.out(`${service.name}: ${ladderText(service.ladder)}`);
    if (service.divertedTo !== undefined)
      terminal.out(`${service.name}: its requests go to ${service.divertedTo} for now.`);
    if (service.longPrompts !== undefined)
      terminal.out(
        `${service.name}: prompts above ${service.longPrompts.above} tokens go to ${service.longPrompts.to} for now.`,
      );
  }
  if (node.services.some((service) => service.simulated === true))
    terminal.out(style("yellow", "SIMULATED: engines and cards are simulated; no model answers here."));
  terminal.out("");
  terminal.out(
    table([
      ["ROUTE", "SERVICES"].map((head) => style("dim", head)),
      ...node.routes.map((route) => [route.name, route.services.join(" → ")]),
    ]),
  );
  reportDiagnostics(node.diagnostics, terminal);
}
