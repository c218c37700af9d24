import { EXIT, messageOf, OmniError } from "../../core/index.ts";
import { inputsHash } from "../journal/inputs-hash.ts";
import type { Journal } from "../journal/journal.ts";
import type { Memory } from "../journal/memory.ts";
import type { Consent, Observation, Step, StepContext } from "../step.ts";
import { firstRunbook } from "./first-runbook.ts";
import type { FirstMaking } from "./first-runbook.ts";
import { edgesOf } from "./order.ts";
import { partsOf } from "./selection.ts";
import type { Part } from "./selection.ts";
import { stepContext } from "./step-context.ts";
import type { ContextParts } from "./step-context.ts";
import { withinTime } from "./within-time.ts";

/** Steps looked at at the same time, and milliseconds that one look may take before it counts as unknown. */
const LOOKS = 8;
const PATIENCE = 20_000;
const GRACE = 2000;

/** A step as it is before a run. */
export interface SurveyedStep {
  readonly step: Pick<Step, "id" | "phase" | "title" | "asked" | "preview">;
  readonly part: Part;
  /** Steps that have to be done before it. */
  readonly needs: readonly string[];
  readonly found:
    | { readonly kind: "there"; readonly evidence: readonly string[] }
    | { readonly kind: "missing"; readonly text: string }
    /** Nobody could look: what it stands on is not there yet, or it took too long. */
    | { readonly kind: "unknown"; readonly text: string }
    | { readonly kind: "skipped" };
  /** It was there with these same inputs at that time, milliseconds since the epoch. */
  readonly driftedSince?: number;
  /** It was there, and follows from something else now. */
  readonly changed: boolean;
  readonly consent?: Consent;
  /** Why it would be refused or cannot work, as things stand. */
  readonly objection?: { readonly message: string; readonly hint: string; readonly refused: boolean };
}

export interface Survey {
  /** In the order of the runbook. */
  readonly steps: readonly SurveyedStep[];
  /** Fallbacks of the last run that stay taken. */
  readonly carried: readonly { readonly step: string; readonly text: string; readonly reason: string }[];
}

export interface SurveyInput extends Omit<ContextParts, "journal">, FirstMaking {
  readonly memory: Memory;
  readonly signal: AbortSignal;
}

/** A survey changes nothing, so there is nothing to write down. */
const NO_JOURNAL: Journal = { write: () => undefined };

/**
 * Looks at every step of a runbook without changing anything: what is there, what would be done, what has to be agreed to.
 * Throws OmniError `runbook.order-cycle`, `runbook.unknown-step`, and what `make` throws.
 */
export async function surveyRunbook(input: SurveyInput): Promise<Survey> {
  const { runbook, carried } = await firstRunbook(input);
  const edges = edgesOf(runbook.steps, input.order);
  const parts = partsOf(runbook.steps, edges, input.selection);
  const looks = new Map<string, SurveyedStep>();
  await sideBySide(runbook.steps, async (step) => {
    const about = { part: parts.get(step.id) ?? "do", needs: edges.get(step.id) ?? [] };
    looks.set(step.id, await lookAt(step, about, input));
  });
  const there = (id: string): boolean => looks.get(id)?.found.kind === "there";
  await sideBySide(runbook.steps, async (step) => {
    const look = looks.get(step.id);
    if (look === undefined || look.part !== "do" || there(step.id)) return;
    looks.set(step.id, { ...look, ...(await wouldBe(step, look.needs.every(there), input)) });
  });
  input.signal.throwIfAborted();
  return { steps: runbook.steps.flatMap(({ id }) => looks.get(id) ?? []), carried };
}

async function lookAt(
  step: Step,
  about: Pick<SurveyedStep, "part" | "needs">,
  input: SurveyInput,
): Promise<SurveyedStep> {
  if (about.part === "skip") return { step, ...about, found: { kind: "skipped" }, changed: false };
  const found = await brief(step, input, (context) => step.verify(context)).then(
    (seen: Observation) =>
      seen.done
        ? { kind: "there" as const, evidence: seen.evidence.map((line) => input.redactor.text(line)) }
        : { kind: "missing" as const, text: input.redactor.text(seen.missing) },
    (thrown: unknown) => ({ kind: "unknown" as const, text: input.redactor.text(messageOf(thrown)) }),
  );
  const known = input.memory.verified.get(step.id);
  const same = known?.hash === inputsHash(step);
  const drifted = found.kind === "missing" && known !== undefined && same;
  return {
    step,
    ...about,
    found,
    changed: found.kind === "missing" && known !== undefined && !same,
    ...(drifted ? { driftedSince: known.time } : {}),
  };
}

/** What has to be agreed to and what stands against it; the latter only where all that it needs is there. */
async function wouldBe(
  step: Step,
  ready: boolean,
  input: SurveyInput,
): Promise<Pick<SurveyedStep, "consent" | "objection">> {
  const objection = ready ? await objectionTo(step, input) : undefined;
  if (objection !== undefined) return { objection };
  const consent = await brief(step, input, async (context) => step.consent?.(context)).catch(() => undefined);
  return consent === undefined ? {} : { consent };
}

const objectionTo = (step: Step, input: SurveyInput): Promise<SurveyedStep["objection"]> =>
  brief(step, input, async (context) => step.precheck?.(context)).then(
    () => undefined,
    (thrown: unknown) => ({
      message: input.redactor.text(messageOf(thrown)),
      hint: thrown instanceof OmniError ? input.redactor.text(thrown.hint) : "",
      refused: thrown instanceof OmniError && thrown.exitCode === EXIT.refused,
    }),
  );

const brief = <T>(step: Step, input: SurveyInput, look: (context: StepContext) => Promise<T>): Promise<T> =>
  withinTime(
    { what: step.id, timeout: Math.min(PATIENCE, step.timeout), grace: GRACE, signal: input.signal },
    (signal) => look(stepContext(step.id, { ...input, journal: NO_JOURNAL }, signal)),
  );

/** Several workers share one iterator. */
async function sideBySide(steps: readonly Step[], work: (step: Step) => Promise<void>): Promise<void> {
  const queue = steps.values();
  const worker = async (): Promise<void> => {
    for (const step of queue) await work(step);
  };
  await Promise.all(Array.from({ length: LOOKS }, worker));
}
