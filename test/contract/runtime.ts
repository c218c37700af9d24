import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Address } from "../../src/core/index.ts";
import { OmniError } from "../../src/core/index.ts";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import { eventually, isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { Behaviour } from "../fakes/fake-child.ts";
import { fakeDriver, fakeService } from "../fakes/fake-driver.ts";

/** What every runtime promises, shown with a real engine process. `make` builds one over a state folder. */
export function runtimeContract(name: string, make: (stateFolder: string) => Runtime): void {
  describe(`the ${name} runtime`, () => {
    let folder = "";
    let runtime: Runtime;
    const units: Unit[] = [];

    const specFor = async (behaviour: Behaviour): Promise<LaunchSpec> =>
      fakeDriver.launch(fakeService("oracle", behaviour), await runtime.allocate("oracle"));
    const start = async (behaviour: Behaviour = {}): Promise<Unit> => {
      const unit = await runtime.start(await specFor(behaviour));
      units.push(unit);
      return unit;
    };
    /** Started, and far enough to have printed what it prints at first. */
    const startTalking = async (behaviour: Behaviour): Promise<Unit> => {
      const unit = await start({ ...behaviour, print: [...(behaviour.print ?? []), "talking"] });
      await eventually("the engine talks", () => unit.lastLines().includes("talking"));
      return unit;
    };

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "omni-runtime-"));
      runtime = make(folder);
    });

    afterEach(async () => {
      await Promise.all(units.splice(0).map((unit) => unit.stop(0)));
      await runtime.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test("starts an engine that is reached at its address, and stops it in order", async () => {
      const spec = await specFor({});
      const unit = await runtime.start(spec);
      units.push(unit);
      expect(isAlive(unit.pid)).toBe(true);
      await answering(spec.address);
      expect(await unit.stop(20_000)).toEqual({ code: 0, signal: null });
      expect(isAlive(unit.pid)).toBe(false);
      expect(await unit.stop(20_000)).toEqual({ code: 0, signal: null });
    });

    test("tells how an engine ended by itself, and its last words", async () => {
      const unit = await start({ exitAfterLoad: 3, print: ["first", "last words"] });
      expect(await unit.exited).toEqual({ code: 3, signal: null });
      expect(unit.lastLines()).toEqual(["first", "last words"]);
    });

    test("forces an engine that ignores the request to end, at the deadline", async () => {
      const spec = await specFor({ ignoreTerm: true });
      const unit = await runtime.start(spec);
      units.push(unit);
      await answering(spec.address);
      const from = performance.now();
      expect(await unit.stop(300)).toEqual({ code: null, signal: "SIGKILL" });
      expect(performance.now() - from).toBeGreaterThanOrEqual(290);
    });

    test("a second, shorter deadline hurries the first", async () => {
      const spec = await specFor({ ignoreTerm: true });
      const unit = await runtime.start(spec);
      units.push(unit);
      await answering(spec.address);
      const first = unit.stop(600_000);
      await unit.stop(0);
      expect(await first).toEqual({ code: null, signal: "SIGKILL" });
    });

    test("keeps the last lines, bounded in number and length", async () => {
      const print = Array.from({ length: 1000 }, (_, n) => `line ${n}`);
      const many = await startTalking({ print });
      expect(many.lastLines().length).toBeLessThanOrEqual(200);
      expect(many.lastLines().slice(-2)).toEqual(["line 999", "talking"]);
      const long = await start({ longLine: 1_000_000 });
      await eventually("the long line is there", () => long.lastLines().length > 0);
      expect(long.lastLines()[0]?.length).toBeLessThan(5000);
      expect(long.lastLines()[0]).toContain("characters cut");
    });

    test("gives the engine none of the parent's secrets, and what its driver asks for", async () => {
      process.env["OMNI_TEST_TOKEN"] = "secret";
      const spec = await specFor({ printEnvironment: true });
      const unit = await runtime.start({ ...spec, environment: { CUDA_VISIBLE_DEVICES: "0" } });
      units.push(unit);
      delete process.env["OMNI_TEST_TOKEN"];
      await eventually("the names are printed", () => unit.lastLines().length > 0);
      const names: unknown = JSON.parse(unit.lastLines()[0] ?? "[]");
      expect(names).toContain("PATH");
      expect(names).toContain("CUDA_VISIBLE_DEVICES");
      expect(names).not.toContain("OMNI_TEST_TOKEN");
    });

    test.each([
      ["is stopped", async (unit: Unit) => unit.stop(20_000)],
      ["is killed from outside", async (unit: Unit) => process.kill(unit.pid, "SIGKILL")],
    ])("leaves nothing of what an engine started when it %s", async (_how, end) => {
      const unit = await startTalking({ grandchild: true, runawayGrandchild: process.platform === "linux" });
      const started = grandchildren(unit);
      expect(started.length).toBeGreaterThan(0);
      expect(started.every(isAlive)).toBe(true);
      await end(unit);
      await unit.exited;
      await eventually("what it started is gone", () => !started.some(isAlive));
    });

    test("names a program that is not there, which no repetition mends", async () => {
      const spec = await specFor({});
      const error = await refusal(runtime.start({ ...spec, command: [join(folder, "no-such-engine")] }));
      expect(error.code).toBe("engine.no-binary");
      expect(error.message).toContain("no-such-engine");
    });

    test("a later run ends and names what an earlier one of the same folder left", async () => {
      const unit = await startTalking({ ignoreLifeLine: true, ignoreTerm: true, grandchild: true });
      const later = make(folder);
      expect(await later.sweep()).toEqual([{ service: "oracle", pid: unit.pid }]);
      expect(await unit.exited).toEqual({ code: null, signal: "SIGKILL" });
      expect(grandchildren(unit).some(isAlive)).toBe(false);
      expect(await later.sweep()).toEqual([]);
    });

    test("nothing is swept that ended in order", async () => {
      const unit = await start();
      await unit.stop(20_000);
      expect(await make(folder).sweep()).toEqual([]);
    });
  });
}

const grandchildren = (unit: Unit): number[] =>
  unit.lastLines().flatMap((line) => (line.startsWith("grandchild ") ? [Number(line.slice(11))] : []));

async function refusal(start: Promise<Unit>): Promise<OmniError> {
  const thrown: unknown = await start.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof OmniError) return thrown;
  throw new Error("no OmniError was thrown", { cause: thrown });
}

async function answering(address: Address): Promise<void> {
  let answered = false;
  await eventually("the engine answers", () => {
    if (!answered) void ask(address, "/health").then((status) => (answered ||= status === 200));
    return answered;
  });
}
