import { formatBytes, nearest, OmniError } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { Terminal } from "../terminal.ts";
import { ladders, notTaken } from "./plan-tables.ts";

/** Prints the whole reasoning about one service. Throws `OmniError` `cli.bad-argument` for a name the plan does not know. */
export function explainService(plan: Plan, name: string, terminal: Terminal): void {
  const { style } = terminal;
  const service = plan.services.find((one) => one.name === name);
  const refused = notTaken(plan, terminal, name);
  if (service === undefined && refused.length === 0) throw unknownService(plan, name);
  terminal.out(style("bold", name));
  if (service === undefined) terminal.out("  is not placed.");
  for (const reason of service?.reasons ?? []) terminal.out(`  ${reason}`);
  for (const terms of service?.memory ?? []) {
    const of = terms.capacity > 0 ? ` of ${formatBytes(terms.capacity)}` : "";
    terminal.out("");
    terminal.out(`  ${style("bold", terms.device)}: ${formatBytes(terms.total)}${of}`);
    for (const part of terms.parts ?? [])
      terminal.out(`    ${formatBytes(part.bytes).padStart(11)}  ${part.name}`);
  }
  list(terminal, "Not taken", refused);
  list(terminal, "When memory runs short", ladders(plan, terminal, name).slice(1));
  const fallbacks = service?.fallbacks ?? [];
  if (fallbacks.length > 0) list(terminal, "Fallback engines that fit", fallbacks);
}

function list(terminal: Terminal, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  terminal.out("");
  terminal.out(`  ${terminal.style("bold", title)}`);
  for (const line of lines) terminal.out(`    ${line}`);
}

function unknownService(plan: Plan, name: string): OmniError {
  const names = [
    ...new Set(
      [...plan.services, ...plan.rejected.map((one) => ({ name: one.service }))].map((one) => one.name),
    ),
  ];
  const near = nearest(name, names);
  return new OmniError("cli.bad-argument", `The plan has no service ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `It has ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}
