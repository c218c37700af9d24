/**
 * Runbook: applying a spec. Phases and steps as data, the runner that carries them out, the journal it keeps in the store,
 * and the report made from that; the steps of each phase beside it. Never here: what is printed, and how a spec becomes a
 * runbook as a whole (the command line composes that).
 */
export { openSteps, recall } from "./journal/memory.ts";
export type { Memory } from "./journal/memory.ts";
export { openJournal } from "./journal/journal.ts";
export { readEntries } from "./journal/read-entries.ts";
export { createRedactor } from "./journal/redactor.ts";
export type { Redactor } from "./journal/redactor.ts";
export { boundedText } from "./journal/bounded-text.ts";
export type { Entry, TimedEntry } from "./journal/entry.ts";
export { reportOf, runbookReport } from "./report/runbook-report.ts";
export { stepRecords } from "./report/step-records.ts";
export { exitCodeOf } from "./run/result.ts";
export type { Outcome, RunResult, StepResult } from "./run/result.ts";
export type { RunEvent } from "./run/run-event.ts";
export { runRunbook } from "./run/run-runbook.ts";
export type { RunbookRun } from "./run/run-runbook.ts";
export type { Selection } from "./run/selection.ts";
export { surveyRunbook } from "./run/survey.ts";
export type { Survey, SurveyedStep } from "./run/survey.ts";
export type { Exclusions, Runbook, RunbookInput } from "./runbook.ts";
export { PHASES } from "./step.ts";
export type { Consent, Phase, Step, StepContext, StepProgress } from "./step.ts";
