import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, test } from "vitest";
import { z } from "zod";
import type { Address } from "../../src/core/index.ts";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import { eventually } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { Behaviour } from "../fakes/fake-child.ts";
import { adoptionContract } from "./runtime-adoption.ts";
import { lifeContract } from "./runtime-life.ts";
import type { RuntimePoint, RuntimeSubject } from "./runtime-subject.ts";

const HOST = fileURLToPath(new URL("../fakes/runtime-host.ts", import.meta.url));

const address = z.union([
  z.object({ kind: z.literal("unix"), path: z.string() }),
  z.object({ kind: z.literal("tcp"), host: z.string(), port: z.int() }),
]);
const report = z.object({
  id: z.string(),
  pid: z.int().optional(),
  adopted: z.boolean(),
  digest: z.string(),
  address,
  processes: z.array(z.int()),
  lines: z.array(z.string()),
});

/** What an Omni in a process of its own says about its engine once that is ready. */
export type HostReport = z.infer<typeof report>;

/** What the tests of one runtime work with, anew for each. */
export interface RuntimeBench {
  readonly subject: RuntimeSubject;
  readonly folder: string;
  readonly runtime: Runtime;
  /** The next Omni of the same folder. */
  next(adoptionGrace?: number): Runtime;
  launch(behaviour: Behaviour): Promise<LaunchSpec>;
  /** Starts it; whatever lives at the end of the test is ended. */
  run(launch: LaunchSpec): Promise<Unit>;
  start(behaviour?: Behaviour): Promise<Unit>;
  /** Started and ready. */
  startReady(behaviour?: Behaviour): Promise<Unit>;
  /** Lets the end of the test end it. */
  owned(unit: Unit): Unit;
  /** An Omni in a process of its own, with its engine ready. */
  host(adoptionGrace: number, behaviour?: Behaviour): Promise<HostReport>;
  /** SIGKILL for the Omni that `host` started last. */
  killHost(): Promise<void>;
}

/** Milliseconds in which a next Omni can come, where a test does not wait for their end. */
export const LONG_GRACE = 60_000;

/** Registers a test of one promise, or says why the subject does not keep it. */
export type Promised = (point: RuntimePoint, check: (bench: RuntimeBench) => Promise<void>) => void;

/** What every runtime promises, shown with real engines. `module` is the file that exports `subject`, as a URL. */
export function runtimeContract(subject: RuntimeSubject, module: string): void {
  const reason = subject.absent === undefined ? "" : ` (skipped: ${subject.absent})`;
  describe.skipIf(subject.absent !== undefined)(`the ${subject.name} runtime${reason}`, () => {
    const units: Unit[] = [];
    const runtimes: Runtime[] = [];
    let bench: RuntimeBench;
    let host: ChildProcess | undefined;

    beforeAll(async () => subject.prepare?.(), 600_000);

    beforeEach(() => {
      const folder = mkdtempSync(join(tmpdir(), "omni-runtime-"));
      const next = (adoptionGrace = LONG_GRACE): Runtime => {
        const runtime = subject.make(folder, adoptionGrace);
        runtimes.push(runtime);
        return runtime;
      };
      const runtime = next();
      const owned = (unit: Unit): Unit => {
        units.push(unit);
        return unit;
      };
      const launch = (behaviour: Behaviour): Promise<LaunchSpec> =>
        subject.launch(runtime, "oracle", behaviour);
      const run = async (spec: LaunchSpec): Promise<Unit> => owned(await runtime.start(spec));
      const start = async (behaviour: Behaviour = {}): Promise<Unit> => run(await launch(behaviour));
      bench = {
        subject,
        folder,
        runtime,
        next,
        launch,
        run,
        start,
        owned,
        async startReady(behaviour = {}) {
          const unit = await start(behaviour);
          await answering(unit.address, subject);
          return unit;
        },
        async host(adoptionGrace, behaviour = {}) {
          const words = [HOST, module, folder, String(adoptionGrace), JSON.stringify(behaviour)];
          const child = spawn(process.execPath, words, {
            stdio: ["ignore", "pipe", "inherit"],
            detached: true,
          });
          host = child;
          for await (const line of createInterface(child.stdout)) return report.parse(JSON.parse(line));
          throw new Error("the host ended without a word");
        },
        async killHost() {
          const ended = host === undefined || host.exitCode !== null ? undefined : once(host, "exit");
          host?.kill("SIGKILL");
          await ended;
          host = undefined;
        },
      };
    });

    afterEach(async () => {
      await bench.killHost();
      await Promise.all(units.splice(0).map((unit) => unit.stop(0)));
      // Whatever a test that failed half-way left behind.
      for (const survivor of await subject.make(bench.folder, 0).survivors()) await survivor.end();
      for (const runtime of runtimes.splice(0)) await runtime.close();
      await subject.cleanUp?.(bench.folder);
      rmSync(bench.folder, { recursive: true, force: true });
    });

    const promised: Promised = (point, check) => {
      const gap = subject.NOT_SUPPORTED[point];
      if (gap === undefined) test(point, () => check(bench));
      else test.skip(`${point} — NOT_SUPPORTED: ${gap}`, () => {});
    };
    lifeContract(promised);
    adoptionContract(promised);
  });
}

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
