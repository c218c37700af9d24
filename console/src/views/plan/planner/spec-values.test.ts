import { expect, it } from "vitest";
import { namesAt, pathTo, servicesOf, shownValue, specOf, typedValue, valueAt } from "./spec-values.ts";
import type { Plan } from "../plan-types.ts";

const spec = specOf(
  "models: { qwen2.5: { quantization: Q4_K_M } }\nservices:\n  oracle: { context: 8192, devices: [gpu0] }\n",
);
const plan: Plan = {
  gateway: { host: "127.0.0.1", port: 1 },
  services: [],
  routes: [],
  rejected: [
    { service: "demo", engine: "embedded", model: "demo", devices: [], code: "x", reason: "", hint: "" },
    { service: "demo", engine: "vllm", model: "demo", devices: [], code: "x", reason: "", hint: "" },
  ],
  diagnostics: [],
};

it("finds values by the spec's own paths", () => {
  expect(valueAt(spec, "services.oracle.context")).toBe(8192);
  expect(valueAt(spec, "services.oracle.devices[0]")).toBe("gpu0");
  expect(valueAt(spec, pathTo("models", "qwen2.5", "quantization"))).toBe("Q4_K_M");
  expect(valueAt(spec, "services.nobody.context")).toBeUndefined();
  expect(valueAt(spec, "services.constructor")).toBeUndefined();
});

it("names what stands below a path", () => {
  expect(namesAt(spec, "models")).toEqual(["qwen2.5"]);
  expect(namesAt(spec, "services.oracle.devices")).toEqual([]);
});

it("takes services of the spec, or of the plan where the spec has none", () => {
  expect(servicesOf(spec, plan)).toEqual(["oracle"]);
  expect(servicesOf(specOf("omni: 1\n"), plan)).toEqual(["demo"]);
});

it("reads what is half typed, and nothing where it cannot", () => {
  expect(valueAt(specOf("services:\n  oracle: { context: 4"), "services.oracle.context")).toBe(4);
  expect(specOf("a: *nobody")).toBeUndefined();
});

it("reads a typed value as the spec would", () => {
  expect(["8192", "auto", "[gpu0, gpu1]", "false", " ", "{ a"].map(typedValue)).toEqual([
    8192,
    "auto",
    ["gpu0", "gpu1"],
    false,
    null,
    "{ a",
  ]);
});

it("shows lists of names as the spec writes them", () => {
  expect(shownValue(["gpu0", "gpu1"])).toBe("[gpu0, gpu1]");
  expect(shownValue(["a, b", "7"])).toBe('["a, b","7"]');
});

it("reads again what it shows", () => {
  const values = [8192, "auto", ["gpu0", "gpu1"], ["a, b", "7"], { type: "q8_0" }, false];
  expect(values.map((value) => typedValue(shownValue(value)))).toEqual(values);
});
