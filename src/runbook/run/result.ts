import { EXIT } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import type { Consent, Phase } from "../step.ts";

/** How a step ended in a run. Durations are milliseconds. */
export type Outcome =
  /** It was there already. */
  | { readonly kind: "there"; readonly evidence: readonly string[]; readonly duration: number }
  | { readonly kind: "done"; readonly evidence: readonly string[]; readonly duration: number }
  | {
      readonly kind: "failed" | "refused";
      readonly code: string;
      readonly message: string;
      readonly hint: string;
      /** What the command line says of an error of this kind. */
      readonly exit: ExitCode;
      readonly duration: number;
    }
  | { readonly kind: "unconsented"; readonly consent: Consent; readonly duration: number }
  | { readonly kind: "not-executed" | "cancelled" | "skipped"; readonly why: string };

export interface StepResult {
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  readonly outcome: Outcome;
  /** It belongs to the runbook no more, because a fallback was taken. */
  readonly replaced: boolean;
}

export interface RunResult {
  /** Every step, in the order of the runbook; those that a fallback replaced come last. */
  readonly steps: readonly StepResult[];
  readonly outcome: RunOutcome;
}

export type RunOutcome = "done" | "failed" | "refused" | "interrupted";

/** What a run came to as a whole: steps that a fallback replaced do not count. */
export function runOutcome(steps: readonly StepResult[], interrupted: boolean): RunOutcome {
  const kinds = new Set(steps.filter(({ replaced }) => !replaced).map(({ outcome }) => outcome.kind));
  if (interrupted && (kinds.has("cancelled") || kinds.has("not-executed"))) return "interrupted";
  if (kinds.has("failed") || kinds.has("cancelled")) return "failed";
  if (kinds.has("refused") || kinds.has("unconsented")) return "refused";
  // A step whose need --only leaves out and that is not there.
  return kinds.has("not-executed") ? "failed" : "done";
}

/** 0 all there, 1 failed, 2 the input is wrong, 3 refused or consent missing. */
export function exitCodeOf({ steps, outcome }: RunResult): ExitCode {
  if (outcome === "done") return EXIT.done;
  if (outcome === "refused") return EXIT.refused;
  const failures = steps.flatMap((step) =>
    step.replaced || step.outcome.kind !== "failed" ? [] : [step.outcome.exit],
  );
  return failures.length > 0 && failures.every((exit) => exit === EXIT.input) && outcome === "failed"
    ? EXIT.input
    : EXIT.failed;
}
