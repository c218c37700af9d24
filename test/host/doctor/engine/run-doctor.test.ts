import { expect, it } from "vitest";
import type { Check, DoctorSubject, Finding } from "../../../../src/host/doctor/check.ts";
import { CHECK_GROUPS } from "../../../../src/host/doctor/check.ts";
import { CHECKS } from "../../../../src/host/doctor/checks.ts";
import { runDoctor } from "../../../../src/host/doctor/run-doctor.ts";
import { recordedView } from "../../../fakes/recorded-host.ts";

const NETWORK: DoctorSubject["network"] = {
  ask: () => Promise.resolve({ answered: false, message: "no network" }),
  resolve: () => Promise.resolve("no network"),
  listens: () => Promise.resolve(false),
};

async function run(
  checks: readonly Check[],
  options?: Parameters<typeof runDoctor>[2],
): Promise<Awaited<ReturnType<typeof runDoctor>>> {
  using view = await recordedView({});
  return runDoctor({ view, network: NETWORK, now: view.now, selfTest: false }, checks, options);
}

const check = (id: Check["id"], look: Check["look"]): Check => ({ id, title: `Title of ${id}`, look });
const finding = (id: string, state: Finding["state"]): Finding => ({ check: id, state, seen: "something" });
const saying = (id: Check["id"], state: Finding["state"]): Check => check(id, () => [finding(id, state)]);

it("a check that throws, rejects or hangs is an unknown of its own, and the others are asked", async () => {
  const report = await run(
    [
      check("system.throws", () => {
        throw new Error("EACCES: permission denied");
      }),
      check("system.rejects", () => Promise.reject(new Error("it broke"))),
      check("system.hangs", () => new Promise(() => {})),
      saying("network.fine", "ok"),
    ],
    { timeout: 50 },
  );
  expect(report.findings).toEqual([
    {
      check: "system.throws",
      state: "unknown",
      seen: "Title of system.throws could not be looked at: EACCES: permission denied",
    },
    {
      check: "system.rejects",
      state: "unknown",
      seen: "Title of system.rejects could not be looked at: it broke",
    },
    {
      check: "system.hangs",
      state: "unknown",
      seen: "Title of system.hangs could not be looked at: it did not come to an end within 0.05 s",
    },
    finding("network.fine", "ok"),
  ]);
  expect(report).toMatchObject({ host: "recorded host", checks: 4, verdict: "attention" });
});

it("findings come in the order of the groups and checks, whoever ends first", async () => {
  const gate = Promise.withResolvers<void>();
  const report = await run([
    check("network.last", () => {
      gate.resolve();
      return [finding("network.last", "ok")];
    }),
    check("boot.slow", async () => {
      await gate.promise;
      return [finding("boot.slow", "ok")];
    }),
    saying("system.first", "ok"),
  ]);
  expect(report.findings.map((one) => one.check)).toEqual(["system.first", "boot.slow", "network.last"]);
});

it("no more than so many look at the same time", async () => {
  let now = 0;
  let most = 0;
  const slow = (id: Check["id"]): Check =>
    check(id, async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return [];
    });
  await run([slow("disks.a"), slow("disks.b"), slow("disks.c"), slow("disks.d"), slow("disks.e")], {
    parallel: 2,
  });
  expect(most).toBe(2);
});

it("the verdict is the worst finding's", async () => {
  const verdict = async (...states: readonly Finding["state"][]): Promise<string> =>
    (await run(states.map((state) => saying("disks.x", state)))).verdict;
  expect(await verdict("ok", "note")).toBe("fine");
  expect(await verdict("ok", "warning")).toBe("attention");
  expect(await verdict("ok", "unknown")).toBe("attention");
  expect(await verdict("warning", "error")).toBe("wrong");
});

it("groups and checks can be asked alone", async () => {
  const checks = [saying("disks.a", "ok"), saying("disks.b", "ok"), saying("driver.a", "ok")];
  const ids = async (...only: readonly string[]): Promise<readonly string[]> =>
    (await run(checks, { only })).findings.map((one) => one.check);
  expect(await ids("disks")).toEqual(["disks.a", "disks.b"]);
  expect(await ids("driver.a", "disks.b")).toEqual(["disks.b", "driver.a"]);
});

it("every check has a name of its own in a known group, a title, and an empty host holds none of them up", async () => {
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
  const groups: ReadonlySet<string> = new Set(CHECK_GROUPS);
  expect(CHECKS.filter(({ id, title }) => !groups.has(id.split(".")[0] ?? "") || title === "")).toEqual([]);
  const { findings } = await run(CHECKS);
  expect(findings.filter(({ seen }) => seen.includes("could not be looked at"))).toEqual([]);
  expect(findings.filter(({ state }) => state === "error")).toEqual([]);
});
