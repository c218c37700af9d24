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
} as const;
