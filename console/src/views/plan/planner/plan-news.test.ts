import { expect, it } from "vitest";
import type { LedgerDevice, Plan, Rejection } from "../plan-types.ts";
import { devicePairs, isNewFinding, isNewRefusal, verdictOf } from "./plan-news.ts";

const device = (name: string, free = 1): LedgerDevice => ({
  device: name,
  machine: "here",
  kind: "gpu",
  label: "RTX",
  capacity: 10,
  headroom: 0,
  entries: [],
  free,
});
const rejection = (service: string, more: Partial<Rejection> = {}): Rejection => ({
  service,
  engine: "vllm",
  model: "big",
  devices: ["gpu0"],
  code: "does-not-fit",
  reason: "needs 95 GiB",
  hint: "",
  ...more,
});
const planOf = (more: Partial<Plan>): Plan => ({
  gateway: { host: "127.0.0.1", port: 1 },
  services: [],
  routes: [],
  rejected: [],
  diagnostics: [],
  ...more,
});

it("knows a refusal by its service, engine, devices and code, whatever its numbers", () => {
  const isNew = isNewRefusal(planOf({ rejected: [rejection("oracle")] }));
  expect(isNew(rejection("oracle", { reason: "needs 96 GiB" }))).toBe(false);
  expect(isNew(rejection("oracle", { devices: ["gpu1"] }))).toBe(true);
});

it("knows a finding by its code, place and words", () => {
  const finding = { code: "x", severity: "note", message: "m", path: "p" } as const;
  const isNew = isNewFinding(planOf({ diagnostics: [finding] }));
  expect([isNew({ ...finding, line: 3 }), isNew({ ...finding, path: "q" })]).toEqual([false, true]);
});

it("pairs devices, those that came or went too", () => {
  const before = planOf({ ledger: [device("gpu0"), device("gpu1")] });
  const after = planOf({ ledger: [device("gpu2"), device("gpu1", 5)] });
  expect(
    devicePairs(before, after).map(({ name, before, after }) => [name, before?.free, after?.free]),
  ).toEqual([
    ["gpu0", 1, undefined],
    ["gpu1", 1, 5],
    ["gpu2", undefined, 1],
  ]);
});

it("says what a trial comes to", () => {
  const error = { code: "x", severity: "error", message: "m" } as const;
  expect(verdictOf(undefined, [error, error])).toBe("The spec is wrong: 2 errors.");
  expect(verdictOf(planOf({ rejected: [rejection("oracle")] }), [error])).toBe(
    "It does not fit: oracle cannot be placed.",
  );
  expect(verdictOf(planOf({ rejected: [rejection("oracle", { alternative: true })] }), [])).toBe(
    "It fits: 0 services placed.",
  );
  expect(verdictOf(planOf({}), [error])).toBe("It fits, 0 services placed, with 1 error.");
});
