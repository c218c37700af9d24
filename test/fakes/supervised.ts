import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlannedService } from "../../src/plan/plan.ts";
import { createProcessRuntime } from "../../src/runtimes/index.ts";
import type { Supervisor, SupervisorOptions, Timing } from "../../src/supervisor/index.ts";
import { TIMING, createSupervisor } from "../../src/supervisor/index.ts";
import { fakePlan } from "./fake-driver.ts";
import { fakeDriverOf, fakeLauncher } from "./fake-launcher.ts";
import { MemoryEventLog } from "./memory-event-log.ts";

export interface Supervised {
  readonly supervisor: Supervisor;
  readonly events: MemoryEventLog;
  readonly stateFolder: string;
  /** Resolves to `whenReady` with a generous limit. */
  ready(service: string): Promise<boolean>;
  /** Kills what runs and removes the folder. */
  end(): Promise<void>;
}

interface SuperviseOptions extends Partial<Omit<SupervisorOptions, "timing" | "events">> {
  readonly timing?: Partial<Timing>;
  /** Name of the state folder below one of the test's own. */
  readonly stateFolder?: string;
  /** A folder that stays when this ends. */
  readonly root?: string;
}

/** A supervisor over real processes in a state folder of its own, not yet started. */
export function supervise(services: readonly PlannedService[], options: SuperviseOptions = {}): Supervised {
  const root = options.root ?? mkdtempSync(join(tmpdir(), "omni-sup-"));
  const stateFolder = options.stateFolder === undefined ? root : join(root, options.stateFolder);
  const events = new MemoryEventLog();
  const runtime = createProcessRuntime({ stateFolder });
  const supervisor = createSupervisor({
    plan: fakePlan(services),
    launcher: fakeLauncher,
    driverOf: fakeDriverOf,
    runtimeOf: () => runtime,
    ...options,
    events,
    timing: { ...TIMING, ...options.timing },
  });
  return {
    supervisor,
    events,
    stateFolder,
    ready: (service) => supervisor.whenReady(service, 50_000, new AbortController().signal),
    async end(): Promise<void> {
      await supervisor.stop(0);
      if (options.root === undefined) rmSync(root, { recursive: true, force: true });
    },
  };
}
