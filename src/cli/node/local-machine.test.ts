import { expect, test } from "vitest";
import { EMPTY_PLAN, placed } from "../../../test/fakes/empty-plan.ts";
import { locatedSpec } from "../../../test/fakes/located-spec.ts";
import { localMachine, onlyHere } from "./local-machine.ts";

const MODEL = "models: { m: ./m.gguf }";
const TWO = `machines:\n  tower: { platform: linux }\n  shelf: { platform: linux }\n${MODEL}`;
const specOf = (text: string): ReturnType<typeof locatedSpec>["spec"] => locatedSpec(text).spec;

test("the machine is the one that is named, the only one, or the one with this host's name", () => {
  expect(localMachine(specOf(TWO), "shelf", "elsewhere")).toBe("shelf");
  expect(localMachine(specOf(TWO), undefined, "tower.example.org")).toBe("tower");
  expect(localMachine(specOf(`metal: { platform: linux }\n${MODEL}`), undefined, "any")).toBeDefined();
  expect(localMachine(specOf(MODEL), undefined, "any")).toBeUndefined();
});

test("where that cannot be told it is asked for, with the names", () => {
  expect(() => localMachine(specOf(TWO), undefined, "laptop")).toThrow(
    "The spec describes tower, shelf, and this machine is called laptop.",
  );
  expect(() => localMachine(specOf(TWO), "twoer", "laptop")).toThrow('The spec has no machine "twoer".');
});

test("what belongs to another machine is told and not started; what is elsewhere or in a cluster belongs to all", () => {
  const plan = {
    ...EMPTY_PLAN,
    services: [
      placed("here", { machine: "tower" }),
      placed("there", { machine: "shelf" }),
      placed("pod", { machine: "shelf", runtime: "kubernetes" }),
      placed("api", { machine: "shelf", devices: [] }),
    ],
    routes: [
      { name: "chat", services: ["there", "here"] },
      { name: "far", services: ["there"] },
    ],
    swapSets: [{ name: "s", devices: ["shelf/gpu0"], services: ["there"], standing: "there", reserves: [] }],
  };
  const local = onlyHere(plan, specOf(TWO), "tower");
  expect(local.services.map(({ name }) => name)).toEqual(["here", "pod", "api"]);
  expect(local.routes).toEqual([{ name: "chat", services: ["here"] }]);
  expect(local.swapSets).toEqual([]);
  expect(local.diagnostics).toMatchObject([
    {
      code: "node.other-machine",
      severity: "warning",
      path: "services.there",
      message: "there belongs to the machine shelf; this is tower, so it is not started here.",
    },
  ]);
  expect(onlyHere(plan, specOf(TWO), undefined)).toBe(plan);
});
