import { expect, it } from "vitest";
import type { Plan } from "../plan-types.ts";
import { draftValue, NO_DRAFT, trialOf, withChange, withoutChange } from "./spec-changes.ts";
import { specOf } from "./spec-values.ts";

const spec = specOf("services: { oracle: { context: 8192, model: big } }\n");
const context = "services.oracle.context";
const rejected = (service: string, model: string): Plan["rejected"][number] => ({
  service,
  engine: "embedded",
  model,
  devices: [],
  code: "x",
  reason: "",
  hint: "",
});
const plan: Plan = {
  gateway: { host: "127.0.0.1", port: 1 },
  services: [],
  routes: [],
  rejected: [rejected("demo", "omni-demo"), rejected("other", "other-model")],
  diagnostics: [],
};

it("keeps one change for each path, and none that changes nothing", () => {
  const once = withChange(NO_DRAFT, spec, { path: context, value: 4096 });
  const twice = withChange(once, spec, { path: context, value: 16384 });
  expect(twice.changes).toEqual([{ path: context, value: 16384 }]);
  expect(withChange(twice, spec, { path: context, value: 8192 })).toEqual(NO_DRAFT);
  expect(withChange(NO_DRAFT, spec, { path: "services.oracle.threads", value: null })).toEqual(NO_DRAFT);
});

it("undoes a single change", () => {
  const draft = {
    changes: [
      { path: context, value: 1 },
      { path: "name", value: "x" },
    ],
  };
  expect(withoutChange(draft, context).changes).toEqual([{ path: "name", value: "x" }]);
});

it("gives what a draft makes of a value", () => {
  const draft = { changes: [{ path: context, value: null }] };
  expect(draftValue(draft, spec, context)).toBeUndefined();
  expect(draftValue(NO_DRAFT, spec, context)).toBe(8192);
});

it("sends the text where it was edited, and the changes", () => {
  const changes = [{ path: context, value: 4096 }];
  expect(trialOf({ changes }, spec, plan)).toEqual({ changes });
  expect(trialOf({ text: "omni: 1", changes }, spec, plan)).toEqual({ text: "omni: 1", changes });
});

it("names the services that a spec without any had by itself before it changes one", () => {
  const changes = [{ path: "services.demo.context", value: 512 }];
  expect(trialOf({ changes }, specOf("omni: 1\n"), plan).changes).toEqual([
    { path: "services.demo.model", value: "omni-demo" },
    { path: "services.other.model", value: "other-model" },
    ...changes,
  ]);
});
