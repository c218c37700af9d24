import { expect } from "vitest";
import type { Outcome, ScenarioRun } from "./run-suite.ts";

/** Scenarios that do not simply pass, each with how it ends and why. */
export type Exceptions = Readonly<Record<string, { readonly outcome: Outcome; readonly reason: string }>>;

/** Expects that all scenarios but the named exceptions pass, that those end as they are said to, and how many there are. */
export function expectSuite(runs: readonly ScenarioRun[], scenarios: number, exceptions: Exceptions): void {
  const others = runs.filter((run) => run.outcome !== "passed");
  const found = Object.fromEntries(others.map((run) => [run.scenario, run.outcome]));
  const named = Object.fromEntries(Object.entries(exceptions).map(([name, { outcome }]) => [name, outcome]));
  const remarks = others.flatMap((run) => run.remarks.map((remark) => `${run.scenario}: ${remark}`));
  // oxlint-disable-next-line vitest/valid-expect -- the remarks say why, where it fails
  expect(found, remarks.join("\n")).toEqual(named);
  expect(runs.length).toBe(scenarios);
}
