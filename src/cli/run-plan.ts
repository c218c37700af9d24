import { EXIT, hasErrors } from "../core/index.ts";
import type { Diagnostic, ExitCode } from "../core/index.ts";
import type { Plan } from "../plan/index.ts";
import type { Invocation } from "./command.ts";
import { makePlan, observeFor } from "./make-plan.ts";
import { locateSpec } from "./node-spec.ts";
import { learnedFrom, measuredHere } from "./node/learned.ts";
import { changeLine } from "./plan-view/change-line.ts";
import { explainService } from "./plan-view/explain-service.ts";
import { diffPlans } from "./plan-view/plan-diff.ts";
import type { PlanChange } from "./plan-view/plan-diff.ts";
import { printPlan } from "./plan-view/plan-tables.ts";
import { printMeasured } from "./plan-view/measured-table.ts";
import { stateFolder } from "./state-folder.ts";
import { countLine, reportDiagnostics } from "./report.ts";
import type { Terminal } from "./terminal.ts";

/** Plans a spec and prints it, or what changes from it to another. Throws `OmniError` when a spec is wrong. */
export async function runPlan(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const [first, second] = invocation.positionals;
  const located = await locateSpec(first, undefined);
  const measured = measuredHere(stateFolder());
  const options = {
    online: invocation.flag("online"),
    observed: await observeFor(located, false),
    learned: learnedFrom(measured),
  };
  const plan = await makePlan(located, options);
  if (second !== undefined) {
    const after = await makePlan(await locateSpec(second, undefined), options);
    const changes = diffPlans(plan, after);
    if (invocation.flag("json")) terminal.out(JSON.stringify({ from: first, to: second, changes }, null, 2));
    else printChanges(changes, terminal);
    return EXIT.done;
  }
  const explained = invocation.value("explain");
  if (invocation.flag("json")) terminal.out(JSON.stringify(plan, null, 2));
  else if (explained !== undefined) explainService(plan, explained, terminal);
  else {
    printPlan(plan, terminal);
    printMeasured(plan, measured, terminal);
    reportDiagnostics(terminal.interactive ? withoutToldArithmetic(plan) : plan.diagnostics, terminal);
    terminal.out(`${located.origin}: ${countLine(plan.diagnostics)}`);
  }
  return hasErrors(plan.diagnostics) ? EXIT.input : EXIT.done;
}

/** Findings whose reasons a person has just read under NOT TAKEN on the same terminal, by their place and name alone. */
function withoutToldArithmetic({ diagnostics, rejected }: Plan): readonly Diagnostic[] {
  return diagnostics.map((diagnostic) => {
    const told = rejected.find(
      ({ code, reason, alternative }) =>
        alternative !== true && code === diagnostic.code && diagnostic.message.includes(reason),
    );
    if (told === undefined) return diagnostic;
    const { hint: _told, ...rest } = diagnostic;
    return { ...rest, message: `${told.service} with ${told.engine}: see NOT TAKEN above.` };
  });
}

function printChanges(changes: readonly PlanChange[], { out, style }: Terminal): void {
  if (changes.length === 0) out("Nothing changes.");
  for (const change of changes) {
    const line = changeLine(change);
    if (change.kind === "added") out(style("green", line));
    else if (change.kind === "removed") out(style("red", line));
    else out(style("yellow", line.slice(0, 1)) + line.slice(1));
  }
}
