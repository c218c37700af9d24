import { PHASES } from "../../runbook/index.ts";
import type { Survey, SurveyedStep } from "../../runbook/index.ts";
import type { Terminal } from "../terminal.ts";

/** The plan of steps, phase by phase: what is there, what would be done, and what has to be agreed to. */
export function surveyLines({ steps, carried }: Survey, terminal: Terminal): readonly string[] {
  const { style } = terminal;
  const drifted = steps.filter(({ driftedSince }) => driftedSince !== undefined);
  return [
    ...drifted.map((step) => style("yellow", driftLine(step))),
    ...carried.map(({ step, text, reason }) =>
      style(
        "yellow",
        `fallback of an earlier run: ${text} (${step}: ${reason}); --retry-fallbacks tries again`,
      ),
    ),
    ...PHASES.flatMap((phase) => phaseLines(phase, steps, terminal)),
    countLine(steps),
  ];
}

const driftLine = ({ step, driftedSince = 0, found }: SurveyedStep): string =>
  `drift: ${step.id} was there at ${new Date(driftedSince).toISOString()}, and is not now: ${
    found.kind === "missing" ? found.text : ""
  }`;

function phaseLines(phase: string, steps: readonly SurveyedStep[], terminal: Terminal): readonly string[] {
  const own = steps.filter(({ step }) => step.phase === phase);
  if (own.length === 0) return [];
  return [terminal.style("bold", phase), ...own.flatMap((step) => stepLines(step, terminal))];
}

function stepLines(surveyed: SurveyedStep, { style }: Terminal): readonly string[] {
  const { step, found, part, consent, objection } = surveyed;
  const title = `${step.id}  ${step.title}`;
  if (found.kind === "skipped") return [style("dim", `  · ${title} (not part of this run)`)];
  if (found.kind === "there") {
    return [
      `  ${style("green", "✓")} ${title}`,
      ...found.evidence.map((line) => style("dim", `      ${line}`)),
    ];
  }
  const sign = objection === undefined ? style("cyan", "+") : style("red", "!");
  const seen = found.kind === "unknown" ? `not known yet: ${found.text}` : `missing: ${found.text}`;
  if (part === "look") return [`  ? ${title}`, `      ${seen}; needed, and not part of this run`];
  return [
    `  ${sign} ${title}`,
    `      ${seen}${surveyed.changed ? " (it follows from something else than last time)" : ""}`,
    ...step.preview.map((line) => style("dim", `      $ ${line}`)),
    ...(objection === undefined
      ? []
      : [`      ${style("red", objection.refused ? "refused" : "cannot work")}: ${objection.message}`]),
    ...(objection === undefined || objection.hint === "" ? [] : [`      → ${objection.hint}`]),
    ...(consent === undefined
      ? []
      : [`      ${style("yellow", "needs consent")}: ${consent.text}`, `      → --consent ${consent.token}`]),
  ];
}

function countLine(steps: readonly SurveyedStep[]): string {
  const part = steps.filter(({ found }) => found.kind !== "skipped");
  const there = part.filter(({ found }) => found.kind === "there").length;
  const consents = part.filter(({ consent }) => consent !== undefined).length;
  const left = part.length - there;
  const needed = consents === 0 ? "" : `, ${consents} of them with consent`;
  return `${part.length} steps: ${there} there, ${left} to do${needed}`;
}
