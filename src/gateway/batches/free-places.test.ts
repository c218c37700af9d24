import { expect, test } from "vitest";

import type { Backends, ServiceView } from "../../supervisor/backends.ts";
import { freePlaces } from "./free-places.ts";

const view = (name: string, more: Partial<ServiceView> = {}): ServiceView => ({
  name,
  engine: "e",
  model: "m",
  state: "ready",
  restarts: 0,
  since: 0,
  contextTokens: 4096,
  parallel: 4,
  ...more,
});

const backendsOf = (...services: readonly ServiceView[]): Pick<Backends, "services" | "routes"> => {
  const routes = [{ name: "both", services: services.map(({ name }) => name) }];
  return { services: () => services, routes: () => routes };
};

const free = (model: string, own: number, ...services: readonly ServiceView[]): number =>
  freePlaces({ ...nothing, ...backendsOf(...services) })(model, own);

const nothing: Backends = {
  services: () => [],
  routes: () => [],
  address: () => undefined,
  acquire: () => undefined,
  demand: () => () => {},
  whenReady: () => Promise.resolve(false),
  reportBroken: () => {},
  diagnostics: () => [],
};

test("what an engine generates at once, less one that stays free and what is under way", () => {
  expect(free("a", 0, view("a"))).toBe(3);
  expect(free("a", 2, view("a", { inFlight: 2 }))).toBe(1);
  expect(free("a", 1, view("a", { inFlight: 3 }))).toBe(0);
  expect(free("a", 0, view("a", { parallel: 1 }))).toBe(1);
  expect(free("a", 1, view("a", { parallel: 1, inFlight: 1 }))).toBe(0);
  expect(free("both", 0, view("a"), view("b", { parallel: 2 }))).toBe(4);
});

test("none while anybody waits; one for a model that is not loaded, as long as nobody waits for anything", () => {
  const waits = { load: { waiting: 1 } };
  expect(free("a", 0, view("a", waits))).toBe(0);
  expect(free("a", 0, view("a"), view("b", waits))).toBe(3);
  const unloaded = view("a", { state: "unloaded" });
  expect(free("a", 0, unloaded)).toBe(1);
  expect(free("a", 1, unloaded)).toBe(0);
  expect(free("a", 0, unloaded, view("b", waits))).toBe(0);
  const admission = { load: () => ({ running: 0, waiting: 1 }) };
  expect(freePlaces({ ...nothing, ...backendsOf(view("a")) }, admission)("a", 0)).toBe(0);
});

test("a name that nobody has is asked for once at a time, and answered at once", () => {
  expect([free("nobody", 0, view("a")), free("nobody", 1, view("a"))]).toEqual([1, 0]);
});
