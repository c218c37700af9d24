/** Codes of applying a spec: steps, consent, journal, measuring; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const RUNBOOK_CODES = {
  "runbook.running": entry(
    3,
    "Another run is at work on this node.",
    "Wait for it, or end its process; ./omni apply --report shows how far it is.",
  ),
  "runbook.consent": entry(
    3,
    "A step could destroy data or cut somebody off, and nobody agreed to it.",
    "Read what it would do, then add the --consent option that the message names.",
  ),
  "runbook.step-failed": entry(
    1,
    "A step of the runbook failed.",
    "Its last words stand in the message; mend the cause and run ./omni apply again: it goes on from there.",
  ),
  "runbook.order-cycle": entry(
    2,
    "Steps wait for each other in a circle.",
    "Take one of the names out of its list under runbook.order.",
  ),
  "runbook.unknown-step": entry(
    2,
    "A step is named that the runbook does not have.",
    "Use the name shown; ./omni apply --dry-run lists all steps.",
  ),
  "runbook.journal": entry(
    1,
    "The journal of the runbook cannot be written, so nothing more is done.",
    "Free space on the disk of the state folder, or set OMNI_STATE to a folder that can be written; then run it again.",
  ),
  "runbook.not-there": entry(
    1,
    "A step did its work, and what it brings about is not there all the same.",
    "Look at what is missing and at the commands of the step: ./omni apply --report.",
  ),
  "runbook.timeout": entry(
    1,
    "A step took longer than it may.",
    "Look at what it waited for: ./omni apply --report; run ./omni apply again to go on.",
  ),
  "runbook.stuck": entry(
    1,
    "A step was told to stop and did not.",
    "Look for its program on the host that the step names and end it before the next run.",
  ),
  "runbook.no-run": entry(
    2,
    "There is no earlier run to go on with or to report on.",
    "Run ./omni apply without the option.",
  ),
  "runbook.interrupted": entry(
    1,
    "The run was interrupted.",
    "Run ./omni apply again: what is done stays done, and it goes on from there.",
  ),
  "runbook.declined": entry(
    3,
    "Nobody agreed to the plan of steps, so nothing was done.",
    "Read the plan, then add --yes.",
  ),
} as const;
