import type { Phase } from "../step.ts";

/** A step as the plan of a run names it. */
export interface PlannedStep {
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  /** Path of the spec that asks for it. */
  readonly asked: string;
}

/** What stands in the place of what did not work. */
export type TakenFallback =
  | { readonly kind: "without-engine"; readonly engine: string }
  /** Another step of the same id, the `depth`th in its chain, from 1. */
  | { readonly kind: "step"; readonly depth: number };

/** One thing that a run did or found. Durations are milliseconds. */
export type Entry =
  | { readonly kind: "plan"; readonly steps: readonly PlannedStep[] }
  | { readonly kind: "step-begun"; readonly step: string; readonly hash: string }
  | {
      readonly kind: "verified";
      readonly step: string;
      readonly hash: string;
      readonly evidence: readonly string[];
      /** Whether this run brought it about, or found it there. */
      readonly applied: boolean;
      readonly duration: number;
    }
  | { readonly kind: "drift"; readonly step: string; readonly missing: string; readonly since: number }
  | { readonly kind: "effect-begun"; readonly step: string; readonly effect: string }
  | {
      readonly kind: "effect-done";
      readonly step: string;
      readonly effect: string;
      /** It was there and was not done again. */
      readonly found: boolean;
    }
  | {
      readonly kind: "command-begun";
      readonly step: string;
      readonly command: number;
      readonly host: string;
      readonly argv: readonly string[];
    }
  | {
      readonly kind: "command";
      readonly step: string;
      readonly command: number;
      readonly host: string;
      readonly argv: readonly string[];
      /** The exit status, or why there is none. */
      readonly ended: number | string;
      readonly stdout: string;
      readonly stderr: string;
      readonly duration: number;
    }
  | {
      readonly kind: "attempt-failed";
      readonly step: string;
      readonly attempt: number;
      readonly message: string;
      /** Milliseconds until the next. */
      readonly pause: number;
    }
  | {
      readonly kind: "failed" | "refused";
      readonly step: string;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
      readonly attempts: number;
      readonly duration: number;
    }
  | {
      readonly kind: "unconsented";
      readonly step: string;
      readonly token: string;
      readonly text: string;
      readonly duration: number;
    }
  | {
      readonly kind: "consent";
      readonly step: string;
      readonly token: string;
      readonly text: string;
      readonly by: string;
      readonly how: "option" | "typed";
    }
  | { readonly kind: "skipped" | "not-executed" | "cancelled"; readonly step: string; readonly why: string }
  | {
      readonly kind: "fallback";
      readonly step: string;
      readonly taken: TakenFallback;
      /** Of the inputs of the step that failed: with others it is tried again. */
      readonly hash: string;
      readonly text: string;
      readonly reason: string;
      /** An earlier run took it, and this one goes on with it. */
      readonly carried: boolean;
    }
  | { readonly kind: "note"; readonly step?: string; readonly text: string };

/** An entry with its time, milliseconds since the epoch. */
export interface TimedEntry {
  readonly seq: number;
  readonly time: number;
  readonly entry: Entry;
}
