import { formatDuration } from "../../core/index.ts";
import type { Outcome, RunResult, StepResult } from "../../runbook/index.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

const SHOWN: Readonly<
  Record<Outcome["kind"], readonly [text: string, colour: "green" | "red" | "yellow" | "dim"]>
> = {
  there: ["there", "green"],
  done: ["done", "green"],
  failed: ["failed", "red"],
  refused: ["refused", "red"],
  unconsented: ["waits for consent", "yellow"],
  "not-executed": ["not executed", "yellow"],
  cancelled: ["cancelled", "yellow"],
  skipped: ["left out", "dim"],
};

/** How each step ended, and what to do about those that are not there. */
export function resultLines({ steps }: RunResult, terminal: Terminal): readonly string[] {
  const rows = steps.map((step) => {
    const [text, colour] = SHOWN[step.outcome.kind];
    const took = "duration" in step.outcome ? formatDuration(step.outcome.duration) : "";
    return [
      terminal.style(colour, text),
      step.id,
      took,
      step.replaced ? "replaced by a fallback" : step.title,
    ];
  });
  return [table(rows), ...steps.flatMap((step) => remedy(step))];
}

function remedy({ id, outcome, replaced }: StepResult): readonly string[] {
  if (replaced) return [];
  if (outcome.kind === "failed" || outcome.kind === "refused")
    return [`${id}: ${outcome.code}: ${outcome.message}`, `  → ${outcome.hint}`];
  if (outcome.kind === "unconsented")
    return [`${id}: ${outcome.consent.text}`, `  → --consent ${outcome.consent.token}`];
  if (outcome.kind === "not-executed") return [`${id}: not executed, because ${outcome.why}`];
  return [];
}

/** One line for a step that ended. */
export function endedLine(step: string, outcome: Outcome): string {
  const [text] = SHOWN[outcome.kind];
  if ("evidence" in outcome)
    return `${step}: ${text} after ${formatDuration(outcome.duration)}${outcome.evidence.length === 0 ? "" : `: ${outcome.evidence.join("; ")}`}`;
  if ("message" in outcome) return `${step}: ${text}: ${outcome.message}`;
  if ("consent" in outcome) return `${step}: ${text}: ${outcome.consent.text}`;
  return `${step}: ${text}: ${outcome.why}`;
}
