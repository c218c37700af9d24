import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import type { Behaviour } from "../fakes/fake-child.ts";
import { adoptionContract } from "./runtime-adoption.ts";
import type { Promised, RuntimeBench } from "./runtime-bench.ts";
import { LONG_GRACE, answering, hostReport } from "./runtime-bench.ts";
import { lifeContract } from "./runtime-life.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

const HOST = fileURLToPath(new URL("../fakes/runtime-host.ts", import.meta.url));

/** What every runtime promises, shown with real engines. `module` is the file that exports `subject`, as a URL. */
export function runtimeContract(subject: RuntimeSubject, module: string): void {
  const reason = subject.absent === undefined ? "" : ` (skipped: ${subject.absent})`;
  describe.skipIf(subject.absent !== undefined)(`the ${subject.name} runtime${reason}`, () => {
    const units: Unit[] = [];
    const runtimes: Runtime[] = [];
    const owned = (unit: Unit): Unit => {
      units.push(unit);
      return unit;
    };
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
          for await (const line of createInterface(child.stdout)) return hostReport.parse(JSON.parse(line));
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
      const why = gap === undefined ? "" : ` — NOT_SUPPORTED: ${gap}`;
      test.skipIf(gap !== undefined)(`${point}${why}`, async () => {
        expect.hasAssertions();
        await check(bench);
      });
    };
    lifeContract(promised);
    adoptionContract(promised);
  });
}
