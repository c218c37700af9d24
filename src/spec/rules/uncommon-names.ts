import { findQuantization, QUANTIZATIONS, ROLES } from "../../catalog/index.ts";
import { nearest } from "../../core/index.ts";
import type { SpecPath } from "../../core/spec-path.ts";
import { machinesOf } from "./hardware.ts";
import type { Report, Rule } from "./rule.ts";

function warn(report: Report, path: SpecPath, typed: string, known: Iterable<string>, what: string): void {
  const near = nearest(typed, known);
  if (near === undefined || near.toLowerCase() === typed.toLowerCase()) return;
  report({
    code: "spec.uncommon-name",
    severity: "warning",
    path,
    message: `${typed} is no ${what} that Omni knows; ${near} is`,
    hint: near,
  });
}

const isSlip = (typed: string, near: string): boolean =>
  typed.length > 3 && Math.abs(typed.length - near.length) <= 1;

/** Names that owners may choose freely but that look like a slip of a known one: roles and quantizations. */
export const uncommonNames: Rule = ({ spec }, report) => {
  const role = (path: SpecPath, typed: string | undefined): void => {
    if (typed === undefined || ROLES.has(typed)) return;
    const near = nearest(typed, ROLES.keys());
    if (near !== undefined && isSlip(typed, near)) warn(report, path, typed, ROLES.keys(), "role");
  };
  for (const [name, service] of Object.entries(spec.services ?? {}))
    role(["services", name, "role"], service.role);
  for (const { value: machine, path } of machinesOf(spec)) {
    for (const [name, gpu] of Object.entries(machine.gpus ?? {}))
      role([...path, "gpus", name, "role"], gpu.role);
  }
  for (const [name, model] of Object.entries(spec.models ?? {})) {
    const typed = model.quantization ?? model.source.quantization;
    if (typed === undefined || findQuantization(typed) !== undefined) continue;
    warn(
      report,
      ["models", name, "quantization"],
      typed,
      QUANTIZATIONS.list.map((q) => q.name),
      "quantization",
    );
  }
};
