import { EXIT, messageOf, OmniError } from "../../core/index.ts";
import { isJournal } from "../journal/journal.ts";
import { inputsHash } from "../journal/inputs-hash.ts";
import type { Memory } from "../journal/memory.ts";
import type { Consent, Step } from "../step.ts";
import type { Outcome } from "./result.ts";
import { stepContext } from "./step-context.ts";
import type { ContextParts } from "./step-context.ts";
import { withinTime } from "./within-time.ts";

/** Who agreed to something, and how. */
export interface Agreement {
  /** `user@machine`. */
  readonly by: string;
  readonly how: "option" | "typed";
}

export interface StepRun extends ContextParts {
  readonly memory: Memory;
  /** Ends the step early: the run was interrupted, or a fallback took the step out of the runbook. */
  readonly signal: AbortSignal;
  /** Only look whether it is there. */
  readonly lookOnly: boolean;
  /** Whether somebody agrees to this very thing. */
  agreed(step: Step, consent: Consent): Promise<Agreement | undefined>;
}

/** What one attempt came to that is no error. */
type Attempt =
  | { readonly kind: "there" | "done"; readonly evidence: readonly string[] }
  | { readonly kind: "absent"; readonly missing: string }
  | { readonly kind: "unconsented"; readonly consent: Consent };

/**
 * Brings one step about: looks whether it is there, else checks, asks, does it and looks again; again after a pause where
 * that fails and may be retried. All of it is journaled. Throws OmniError `runbook.journal` alone: what a step throws is its
 * outcome.
 */
export async function runStep(step: Step, run: StepRun): Promise<Outcome> {
  const began = performance.now();
  const hash = inputsHash(step);
  run.journal.write({ kind: "step-begun", step: step.id, hash });
  run.tell({ kind: "begun", step: step.id, title: step.title });
  const attempts = 1 + (step.retries?.times ?? 0);
  for (let attempt = 1; ; attempt++) {
    try {
      const came = await attemptStep(step, run, { hash, first: attempt === 1 });
      return keep(came, step, run, { hash, duration: performance.now() - began });
    } catch (thrown) {
      if (isJournal(thrown)) throw thrown;
      if (run.signal.aborted && !isOf(thrown, "runbook.stuck")) return cancelled(step, run);
      if (attempt >= attempts || !mayRetry(thrown))
        return failed(thrown, step, run, { attempts: attempt, duration: performance.now() - began });
      if (!(await pauseBeforeNext(step, run, attempt, thrown))) return cancelled(step, run);
    }
  }
}

async function attemptStep(
  step: Step,
  run: StepRun,
  about: { readonly hash: string; readonly first: boolean },
): Promise<Attempt> {
  const timed = { what: step.id, timeout: step.timeout, signal: run.signal };
  const looked = await withinTime(timed, (signal) => look(step, run, about, signal));
  if ("kind" in looked) return looked;
  const { consent } = looked;
  // The time that a person takes to answer is not the step's.
  if (consent !== undefined && !(await consented(step, consent, run)))
    return { kind: "unconsented", consent };
  return { kind: "done", evidence: await withinTime(timed, (signal) => applied(step, run, signal)) };
}

/** Whether it is there; if not, checks whether it may be done, and says what has to be agreed to first. */
async function look(
  step: Step,
  run: StepRun,
  about: { readonly hash: string; readonly first: boolean },
  signal: AbortSignal,
): Promise<Attempt | { readonly consent: Consent | undefined }> {
  const context = stepContext(step.id, run, signal);
  const before = await step.verify(context);
  if (before.done) return { kind: about.first ? "there" : "done", evidence: before.evidence };
  if (run.lookOnly) return { kind: "absent", missing: before.missing };
  if (about.first) tellDifference(step, run, about.hash, before.missing);
  await step.precheck?.(context);
  signal.throwIfAborted();
  return { consent: await step.consent?.(context) };
}

/** A step that was there with these inputs and is not any more has drifted; with other inputs it is another step. */
function tellDifference(step: Step, run: StepRun, hash: string, missing: string): void {
  const known = run.memory.verified.get(step.id);
  if (known === undefined) return;
  if (known.hash !== hash) {
    run.tell({ kind: "changed", step: step.id });
    return;
  }
  run.journal.write({ kind: "drift", step: step.id, missing, since: known.time });
  run.tell({ kind: "drift", step: step.id, missing: run.redactor.text(missing), since: known.time });
}

async function consented(step: Step, consent: Consent, run: StepRun): Promise<boolean> {
  run.signal.throwIfAborted();
  const agreement = await run.agreed(step, consent);
  if (agreement === undefined) return false;
  const { token, text } = consent;
  run.journal.write({ kind: "consent", step: step.id, token, text, ...agreement });
  run.tell({ kind: "consent", step: step.id, consent, by: agreement.by });
  return true;
}

/** Does it and returns what proves it. */
async function applied(step: Step, run: StepRun, signal: AbortSignal): Promise<readonly string[]> {
  const context = stepContext(step.id, run, signal);
  signal.throwIfAborted();
  run.journal.write({ kind: "effect-begun", step: step.id, effect: "apply" });
  run.tell({ kind: "applying", step: step.id });
  await step.apply(context);
  run.journal.write({ kind: "effect-done", step: step.id, effect: "apply", found: false });
  const after = await step.verify(context);
  if (after.done) return after.evidence;
  throw new OmniError("runbook.not-there", `${step.title}: ${after.missing}`);
}

function keep(
  came: Attempt,
  step: Step,
  run: StepRun,
  { hash, duration }: { readonly hash: string; readonly duration: number },
): Outcome {
  const { journal, redactor } = run;
  const { id } = step;
  if (came.kind === "absent") {
    const why = `it is not there (${redactor.text(came.missing)}) and not part of this run`;
    journal.write({ kind: "skipped", step: id, why });
    return { kind: "skipped", why };
  }
  if (came.kind === "unconsented") {
    journal.write({ kind: "unconsented", step: id, ...came.consent, duration });
    return { kind: "unconsented", consent: came.consent, duration };
  }
  const { evidence } = came;
  journal.write({ kind: "verified", step: id, hash, evidence, applied: came.kind === "done", duration });
  return { kind: came.kind, evidence: evidence.map((line) => redactor.text(line)), duration };
}

function cancelled(step: Step, run: StepRun): Outcome {
  const why = messageOf(run.signal.reason);
  run.journal.write({ kind: "cancelled", step: step.id, why });
  return { kind: "cancelled", why };
}

function failed(
  thrown: unknown,
  step: Step,
  run: StepRun,
  about: { readonly attempts: number; readonly duration: number },
): Outcome {
  const error =
    thrown instanceof OmniError
      ? thrown
      : new OmniError("runbook.step-failed", messageOf(thrown), { cause: thrown });
  const { code, exitCode } = error;
  const [message, hint] = [run.redactor.text(error.message), run.redactor.text(error.hint)];
  const kind = exitCode === EXIT.refused ? "refused" : "failed";
  run.journal.write({ kind, step: step.id, code, message, hint, ...about });
  return { kind, code, message, hint, exit: exitCode, duration: about.duration };
}

/** Journals and waits. False where the step was ended meanwhile. */
async function pauseBeforeNext(step: Step, run: StepRun, attempt: number, thrown: unknown): Promise<boolean> {
  const pause = step.retries?.delay ?? 0;
  const message = run.redactor.text(messageOf(thrown));
  run.journal.write({ kind: "attempt-failed", step: step.id, attempt, message, pause });
  run.tell({ kind: "retry", step: step.id, message, pause });
  await new Promise<void>((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      run.signal.removeEventListener("abort", go);
      resolve();
    };
    const timer = setTimeout(go, pause);
    run.signal.addEventListener("abort", go);
  });
  return !run.signal.aborted;
}

const isOf = (thrown: unknown, code: OmniError["code"]): boolean =>
  thrown instanceof OmniError && thrown.code === code;

/** A refusal stays one, wrong input stays wrong, and work that did not stop must not be begun beside itself. */
const mayRetry = (thrown: unknown): boolean =>
  !(thrown instanceof OmniError) || (thrown.exitCode === EXIT.failed && thrown.code !== "runbook.stuck");
