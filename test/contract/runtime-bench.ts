import { z } from "zod";
import type { Address } from "../../src/core/index.ts";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import { eventually } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { Behaviour } from "../fakes/fake-child.ts";
import type { RuntimePoint, RuntimeSubject } from "./runtime-subject.ts";

const address = z.union([
  z.object({ kind: z.literal("unix"), path: z.string() }),
  z.object({ kind: z.literal("tcp"), host: z.string(), port: z.int() }),
]);
export const hostReport = z.object({
  id: z.string(),
  pid: z.int().optional(),
  adopted: z.boolean(),
  digest: z.string(),
  address,
  processes: z.array(z.int()),
  lines: z.array(z.string()),
});

/** What an Omni in a process of its own says about its engine once that is ready. */
export type HostReport = z.infer<typeof hostReport>;

/** What the tests of one runtime work with, anew for each. */
export interface RuntimeBench {
  readonly subject: RuntimeSubject;
  readonly folder: string;
  readonly runtime: Runtime;
  /** The next Omni of the same folder. */
  readonly next: (adoptionGrace?: number) => Runtime;
  readonly launch: (behaviour: Behaviour) => Promise<LaunchSpec>;
  /** Starts it; whatever lives at the end of the test is ended. */
  readonly run: (launch: LaunchSpec) => Promise<Unit>;
  readonly start: (behaviour?: Behaviour) => Promise<Unit>;
  /** Started and ready. */
  readonly startReady: (behaviour?: Behaviour) => Promise<Unit>;
  /** Lets the end of the test end it. */
  readonly owned: (unit: Unit) => Unit;
  /** An Omni in a process of its own, with its engine ready. */
  readonly host: (adoptionGrace: number, behaviour?: Behaviour) => Promise<HostReport>;
  /** SIGKILL for the Omni that `host` started last. */
  readonly killHost: () => Promise<void>;
}

/** Milliseconds in which a next Omni can come, where a test does not wait for their end. */
export const LONG_GRACE = 60_000;

/** Registers a test of one promise, or says why the subject does not keep it. */
export type Promised = (point: RuntimePoint, check: (bench: RuntimeBench) => Promise<void>) => void;

/** Waits until an engine answers that it is ready. */
export async function answering(at: Address, { healthPath = "/health" }: RuntimeSubject): Promise<void> {
  let answered = false;
  await eventually(
    "the engine answers",
    () => {
      if (!answered) void ask(at, healthPath).then((status) => (answered ||= status === 200));
      return answered;
    },
    50_000,
  );
}

/** Makes the engine write a line that contains `word`. */
export async function saying(unit: Unit, subject: RuntimeSubject, word: string): Promise<void> {
  if (subject.provoke === undefined) await ask(unit.address, `/say?line=${word}`);
  else await subject.provoke(unit.address, word);
}

/** Processes that a fake engine says it started. */
export const grandchildren = (lines: readonly string[]): number[] =>
  lines.flatMap((line) => (line.startsWith("grandchild ") ? [Number(line.slice(11))] : []));
