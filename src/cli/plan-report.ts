import { formatBytes } from "../core/index.ts";
import type { Plan } from "../plan/index.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Prints what a plan would start, with the memory each service takes, term by term. */
export function reportPlan(plan: Plan, terminal: Terminal): void {
  const { style } = terminal;
  const head = [
    "SERVICE",
    "ENGINE",
    "MODEL",
    "CONTEXT",
    "PARALLEL",
    "WEIGHTS",
    "KV CACHE",
    "COMPUTE",
    "PROCESS",
    "TOTAL",
    "AVAILABLE",
  ];
  const rows = plan.services.flatMap((service) =>
    service.memory.map((terms) => [
      style("bold", service.name),
      service.engine.name,
      service.model.name,
      `${service.contextTokens} tokens`,
      String(service.parallel),
      ...[terms.weights, terms.kvCache, terms.compute, terms.overhead, terms.total, terms.capacity].map(
        formatBytes,
      ),
    ]),
  );
  terminal.out(table([head.map((cell) => style("dim", cell)), ...rows]));
  terminal.out("");
  terminal.out(
    table([
      ["ROUTE", "SERVICES"].map((cell) => style("dim", cell)),
      ...plan.routes.map((route) => [route.name, route.services.join(" → ")]),
    ]),
  );
  terminal.out("");
  terminal.out(
    `Nothing was started. Without --dry-run it would listen on ${plan.gateway.host}:${plan.gateway.port}.`,
  );
}
