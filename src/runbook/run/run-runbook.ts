import { messageOf } from "../../core/index.ts";
import { isJournal } from "../journal/journal.ts";
import type { Memory } from "../journal/memory.ts";
import type { Exclusions, Runbook } from "../runbook.ts";
import type { Consent, Step } from "../step.ts";
import { resultsOf, scheduled } from "./board.ts";
import type { Board, Place, PlaceState } from "./board.ts";
import { firstRunbook } from "./first-runbook.ts";
import type { FirstMaking } from "./first-runbook.ts";
import type { Outcome, RunResult } from "./result.ts";
import { runOutcome } from "./result.ts";
import { runStep } from "./run-step.ts";
import type { Agreement } from "./run-step.ts";
import { decide } from "./schedule.ts";
import type { ContextParts } from "./step-context.ts";
import { laidOut, notTaken, takeFallback } from "./take-fallback.ts";

/** Steps at work at the same time. */
const PARALLEL = 4;

export interface RunbookRun extends ContextParts, FirstMaking {
  readonly memory: Memory;
  /** Ends the run: what is at work is stopped, what waits is not begun. */
  readonly signal: AbortSignal;
  /** Steps at work at the same time; 4 when absent. */
  readonly parallel?: number;
  agreed(step: Step, consent: Consent): Promise<Agreement | undefined>;
}

/**
 * Carries a runbook out: each step once all that it needs is there, those that do not need each other side by side. What
 * fails takes along what needs it and nothing else, unless it has a fallback. Throws `OmniError` `runbook.journal`,
 * `runbook.order-cycle`, `runbook.unknown-step`, and what `make` throws at first.
 */
export async function runRunbook(run: RunbookRun): Promise<RunResult> {
  const { runbook, carried, depths } = await firstRunbook(run);
  const work = new Work(run, runbook, depths);
  // Before the plan: whoever reads a journal with a plan finds all that was decided before it.
  for (const entry of carried) {
    run.journal.write({ ...entry, carried: true });
    run.tell({ kind: "fallback", step: entry.step, text: entry.text, reason: entry.reason });
  }
  await work.toTheEnd();
  const steps = resultsOf(work.board);
  return { steps, outcome: runOutcome(steps, run.signal.aborted) };
}

/** A step that came to an end, or to something that ends the whole run. */
type Ended = { readonly id: string } & ({ readonly outcome: Outcome } | { readonly broken: unknown });

/** The one writer of a run's board: what steps come to is told to it, and it decides what follows. */
class Work {
  board: Board;
  readonly #run: RunbookRun;
  #exclusions: Exclusions;
  readonly #atWork = new Set<Promise<void>>();
  #ended: Ended[] = [];
  #wake = (): void => {};

  constructor(run: RunbookRun, runbook: Runbook, depths: ReadonlyMap<string, number>) {
    this.#run = run;
    this.#exclusions = runbook.exclusions;
    this.board = laidOut(run, runbook, depths);
  }

  async toTheEnd(): Promise<void> {
    try {
      this.#writePlan();
      for (;;) {
        this.#settleWaiting();
        for (const id of decide(scheduled(this.board), this.#run.parallel ?? PARALLEL).start) this.#start(id);
        if (this.#atWork.size === 0 && this.#ended.length === 0) return;
        await this.#nextEnd();
        await this.#settleEnded();
      }
    } catch (broken) {
      // Without a journal nothing goes on: what is at work is stopped and waited for.
      this.#endRunning(() => true, "the journal cannot be written");
      await Promise.all(this.#atWork);
      throw broken;
    }
  }

  #start(id: string): void {
    const place = this.board.get(id);
    if (place === undefined) return;
    const own = new AbortController();
    const signal = AbortSignal.any([this.#run.signal, own.signal]);
    this.#set(id, { kind: "running", end: (why) => own.abort(why), stale: false });
    const work = runStep(place.step, { ...this.#run, signal, lookOnly: place.part === "look" })
      .then(
        (outcome) => void this.#ended.push({ id, outcome }),
        (broken: unknown) => void this.#ended.push({ id, broken }),
      )
      .finally(() => {
        this.#atWork.delete(work);
        this.#wake();
      });
    this.#atWork.add(work);
  }

  #nextEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#ended.length > 0) resolve();
    });
  }

  async #settleEnded(): Promise<void> {
    const ended = this.#ended;
    this.#ended = [];
    for (const one of ended) {
      if ("broken" in one) throw one.broken;
      const place = this.board.get(one.id);
      if (place?.state.kind !== "running") continue;
      if (place.state.stale && !place.replaced) this.#set(one.id, { kind: "waiting" });
      else {
        this.#end(one.id, one.outcome);
        if (one.outcome.kind === "failed") await this.#turn(place, one.outcome.message);
      }
    }
  }

  /** Takes the fallback of a step that failed, where it has one. */
  async #turn(failed: Place, reason: string): Promise<void> {
    const run = this.#run;
    const { id: step, fallback } = failed.step;
    if (fallback === undefined || failed.replaced || run.signal.aborted) return;
    try {
      const now = { board: this.board, exclusions: this.#exclusions };
      const turn = await takeFallback(run, now, failed, reason);
      if (turn === undefined) return;
      const { taken, text, board, exclusions } = turn;
      run.journal.write({ kind: "fallback", step, taken, hash: failed.hash, text, reason, carried: false });
      run.tell({ kind: "fallback", step, text, reason });
      this.board = board;
      this.#exclusions = exclusions;
      this.#endRunning(({ stale }) => stale, `a fallback was taken: ${text}`);
      this.#writePlan();
    } catch (thrown) {
      if (isJournal(thrown)) throw thrown;
      const text = notTaken(fallback.text, thrown);
      run.journal.write({ kind: "note", step, text });
      run.tell({ kind: "note", step, text: run.redactor.text(text) });
    }
  }

  /** Steps that wait and will not be begun: left out of this run, blocked, or the run is at its end. */
  #settleWaiting(): void {
    for (const [id, { state, part }] of this.board) {
      if (state.kind !== "waiting") continue;
      if (part === "skip") this.#leave(id, { kind: "skipped", why: "not part of this run" });
      else if (this.#run.signal.aborted)
        this.#leave(id, { kind: "not-executed", why: messageOf(this.#run.signal.reason) });
    }
    for (const { id, because } of decide(scheduled(this.board), 0).blocked)
      this.#leave(id, { kind: "not-executed", why: this.#blame(because) });
  }

  #leave(id: string, outcome: Extract<Outcome, { why: string }>): void {
    this.#run.journal.write({ kind: outcome.kind, step: id, why: outcome.why });
    this.#end(id, outcome);
  }

  /** Why a step that others wait for will not be there. */
  #blame(id: string): string {
    const state = this.board.get(id)?.state;
    return state?.kind === "ended" ? `${id} ${BLAME[state.outcome.kind]}` : `${id} is not there`;
  }

  #writePlan(): void {
    const steps = [...this.board.values()]
      .filter(({ replaced }) => !replaced)
      .map(({ step: { id, phase, title, asked } }) => ({ id, phase, title, asked }));
    this.#run.journal.write({ kind: "plan", steps });
  }

  #endRunning(which: (state: Extract<PlaceState, { kind: "running" }>) => boolean, why: string): void {
    for (const { state } of this.board.values())
      if (state.kind === "running" && which(state)) state.end(new Error(why));
  }

  #end(id: string, outcome: Outcome): void {
    this.#set(id, { kind: "ended", outcome });
    this.#run.tell({ kind: "ended", step: id, outcome });
  }

  #set(id: string, state: PlaceState): void {
    const place = this.board.get(id);
    if (place !== undefined) this.board = new Map(this.board).set(id, { ...place, state });
  }
}

const BLAME: Readonly<Record<Outcome["kind"], string>> = {
  there: "is there",
  done: "is done",
  failed: "failed",
  refused: "was refused",
  unconsented: "waits for consent",
  "not-executed": "was not executed",
  cancelled: "was cancelled",
  skipped: "is not there and not part of this run",
};
