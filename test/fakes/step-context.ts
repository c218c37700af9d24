/** What steps work with, in memory: a journal that outlives a run, hosts by name, and all that was run, told and hidden. */
import { OmniError } from "../../src/core/index.ts";
import type { CommandResult, HostCommand, HostTransport } from "../../src/host/transport/transport.ts";
import type { Observation, Step, StepContext, StepProgress } from "../../src/runbook/step.ts";

/** What stays when a run is cut off: effects by id, `before` for one of which nobody knows whether it was done. */
export type MemoryJournal = Map<string, "before" | "after">;

export interface MemoryContextOptions {
  /** Transports by the name that a step asks for; `""` is this machine. */
  readonly hosts: Readonly<Record<string, HostTransport>>;
  /** Of an earlier run. */
  readonly journal?: MemoryJournal;
  /** The run is cut off instead of making this journal write, counted from 1; commands write before and after. */
  readonly cutAt?: number;
  readonly signal?: AbortSignal;
}

export interface MemoryContext extends StepContext {
  readonly journal: MemoryJournal;
  /** Words of every program that `run` ran, `look` not. */
  readonly ran: readonly string[];
  readonly notes: readonly string[];
  readonly progressed: readonly StepProgress[];
  readonly hidden: readonly string[];
  /** Journal writes until now. */
  readonly writes: number;
}

/** Stands for the death of the run. */
export class CutOff extends Error {}

export function memoryContext(options: MemoryContextOptions): MemoryContext {
  const journal: MemoryJournal = options.journal ?? new Map<string, "before" | "after">();
  const ran: string[] = [];
  const notes: string[] = [];
  const progressed: StepProgress[] = [];
  const hidden: string[] = [];
  let writes = 0;
  const write = (): void => {
    writes += 1;
    if (writes === options.cutAt) throw new CutOff(`cut off at journal write ${writes}`);
  };
  const signal = options.signal ?? new AbortController().signal;
  return {
    signal,
    journal,
    ran,
    notes,
    progressed,
    hidden,
    get writes() {
      return writes;
    },
    host: (name = "") => {
      const host = options.hosts[name];
      return host === undefined
        ? Promise.reject(new OmniError("host.unreachable", `${name} is no host of this test.`))
        : Promise.resolve(host);
    },
    run: async (host, command, accept = [0]) => {
      write();
      ran.push(command.argv.join(" "));
      const result = await host.run({ ...command, signal });
      write();
      if (result.ended && accept.includes(result.code)) return result;
      throw new OmniError("host.command-failed", failure(host, command, result));
    },
    look: (host, command) => host.run({ ...command, signal }),
    effect: async (id, there, act) => {
      if (await there()) {
        write();
        journal.set(id, "after");
        return;
      }
      write();
      journal.set(id, "before");
      await act();
      write();
      journal.set(id, "after");
    },
    progress: (progress) => void progressed.push(progress),
    note: (text) => void notes.push(text),
    hide: (secret) => void hidden.push(secret),
  };
}

/**
 * One step as the runner takes it: nothing where it is done already, else precheck, consent, apply and another look.
 * Throws `OmniError` `runbook.consent` where its token is not among `agreed`.
 */
export async function takeStep(
  step: Step,
  context: StepContext,
  agreed: readonly string[] = [],
): Promise<Observation> {
  const found = await step.verify(context);
  if (found.done) return found;
  await step.precheck?.(context);
  const consent = await step.consent?.(context);
  if (consent !== undefined && !agreed.includes(consent.token))
    throw new OmniError("runbook.consent", `${consent.text} Agree with --consent ${consent.token}.`);
  await step.apply(context);
  return await step.verify(context);
}

/** The same in a run that may be cut off on the way. Returns whether it was; throws everything else. */
export async function takeCutShort(step: Step, context: StepContext): Promise<boolean> {
  try {
    await takeStep(step, context);
    return false;
  } catch (thrown) {
    if (thrown instanceof CutOff) return true;
    throw thrown;
  }
}

const failure = (host: HostTransport, { argv }: Omit<HostCommand, "signal">, result: CommandResult): string =>
  `${argv[0]} on ${host.name}: ${result.ended ? `exit status ${result.code}: ${result.stderr.trim() || result.stdout.trim()}` : result.message}`;
