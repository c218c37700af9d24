import type { HostCommand, CommandResult, HostTransport } from "../host/transport/transport.ts";

export const PHASES = [
  "metal",
  "image",
  "guest",
  "storage",
  "models",
  "engines",
  "services",
  "acceptance",
] as const;
export type Phase = (typeof PHASES)[number];

/** What a look at the world found: the effect is there, with what proves it, or what is missing. */
export type Observation =
  | { readonly done: true; readonly evidence: readonly string[] }
  | { readonly done: false; readonly missing: string };

/** What an owner has to agree to, for this very object. */
export interface Consent {
  /** What is typed after --consent: `format:S7XXNJ0W123456`, `reboot:omni-prime`, `unbind:GPU-f4f2…`. */
  readonly token: string;
  /** What would be done to what, one sentence with serial, size and name. */
  readonly text: string;
}

export interface StepProgress {
  readonly done: number;
  /** Absent where nobody knows. */
  readonly total?: number;
  readonly unit: "bytes" | "steps" | "seconds";
  readonly text?: string;
}

/** What a step does its work with. Whatever it runs, and what that said, is kept in the journal, without secrets. */
export interface StepContext {
  readonly signal: AbortSignal;
  /** The way to a machine of the spec by its name, or to `user@host[:port]`; this machine when absent. Pooled, never closed by a step. */
  host(name?: string): Promise<HostTransport>;
  /** Runs a program to its end and journals it. Throws `OmniError` `host.command-failed` with its last words unless it exits with one of `accept` (0). */
  run(
    host: HostTransport,
    command: Omit<HostCommand, "signal">,
    accept?: readonly number[],
  ): Promise<Extract<CommandResult, { ended: true }>>;
  /** Reads only: the same, not journaled, nothing thrown for an exit status. */
  look(host: HostTransport, command: Omit<HostCommand, "signal">): Promise<CommandResult>;
  /**
   * One effect within a step that must not be done twice: journaled before and after. Where an earlier run was cut off
   * inside it, `there` is asked first; it is done only where that says no.
   */
  effect(id: string, there: () => Promise<boolean>, act: () => Promise<void>): Promise<void>;
  progress(progress: StepProgress): void;
  /** A line for the journal and the report. */
  note(text: string): void;
  /** Adds a value that must never be shown to those that are taken out of everything that is kept. */
  hide(secret: string): void;
}

/** What takes the place of a step that failed for good. */
export type Fallback =
  /** Another step of the same id, and what to tell. */
  | { readonly kind: "step"; readonly text: string; readonly step: Step }
  /** The plan is made again without this engine of the spec; steps that are done stay done. */
  | { readonly kind: "without-engine"; readonly text: string; readonly engine: string };

/**
 * One thing that is brought about on a host, a registry or a cluster. The runner asks `verify` first and does nothing
 * where that is content; else `precheck`, `apply`, and `verify` again, which alone says whether it is done.
 */
export interface Step {
  /** `KIND/NAME`, stable over runs and plans: `disk/nvme`, `engine/leviathan`. `runbook.order` names it. */
  readonly id: string;
  readonly phase: Phase;
  /** What it brings about: `XFS on disk nvme, mounted at /var/mnt/data`. */
  readonly title: string;
  /** Path of the spec that asks for it. */
  readonly asked: string;
  /** Ids of steps that have to be done before; those that the runbook does not have count as done. */
  readonly needs: readonly string[];
  /** Plain data that all of it follows from: another hash means that it is not the same step any more. */
  readonly inputs: unknown;
  /** Milliseconds of one attempt, verification included. */
  readonly timeout: number;
  /** Further attempts and the milliseconds between them; a refusal is never tried again. */
  readonly retries?: { readonly times: number; readonly delay: number };
  /** What must be agreed to before it is applied; asked after `precheck`, not where it is done already. */
  consent?(context: StepContext): Promise<Consent | undefined>;
  /** Throws `OmniError` of exit code 3 where it would be unsafe and of 1 or 2 where it cannot work. Changes nothing. */
  precheck?(context: StepContext): Promise<void>;
  /** Looks at the world, changes nothing. */
  verify(context: StepContext): Promise<Observation>;
  apply(context: StepContext): Promise<void>;
  /** What a dry run tells: commands and files, one a line. */
  readonly preview: readonly string[];
  readonly fallback?: Fallback;
}
