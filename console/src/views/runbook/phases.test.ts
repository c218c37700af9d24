import { expect, it } from "vitest";
import { PHASES as REAL } from "../../../../src/runbook/step.ts";
import { PHASES, phasesOf } from "./phases.ts";
import type { Step } from "./runbook-types.ts";

const step = (phase: string, state: string): Step => ({
  id: `${phase}/${state}`,
  phase,
  title: "",
  asked: "",
  state,
  evidence: [],
  commands: [],
  notes: [],
});

it("has the phases of the runbook", () => {
  expect(PHASES).toEqual(REAL);
});

it("tells of each phase what needs most attention", () => {
  const steps = [
    step("engines", "at work"),
    step("metal", "there"),
    step("metal", "done"),
    step("storage", "done"),
    step("storage", "waits for consent"),
    step("models", "done"),
    step("models", "failed"),
    step("models", "at work"),
    step("services", "never begun"),
    step("acceptance", "there"),
    step("acceptance", "left out"),
  ];
  expect(phasesOf(steps).map(({ name, good, tone, word }) => [name, good, tone, word])).toEqual([
    ["metal", 2, "good", "done"],
    ["storage", 1, "warning", "waits"],
    ["models", 1, "error", "failed"],
    ["engines", 0, "busy", "at work"],
    ["services", 0, "quiet", "not begun"],
    ["acceptance", 1, "quiet", "in part"],
  ]);
});

it("shows a phase that it does not know after the others", () => {
  expect(phasesOf([step("orbit", "done"), step("services", "done")]).map(({ name }) => name)).toEqual([
    "services",
    "orbit",
  ]);
});
