import { expect, it } from "vitest";
import { heldMemory } from "./held-memory.ts";
import type { LedgerDevice, Plan } from "./plan-types.ts";

const terms = (device: string, weights: number) => ({
  device,
  weights,
  kvCache: 10,
  compute: 0,
  overhead: 5,
  total: weights + 15,
  capacity: 100,
});
const service = (name: string, weights: number): Plan["services"][number] => ({
  name,
  engine: { name: "llama.cpp", version: "b1" },
  model: { name, path: `/models/${name}`, sizeBytes: weights },
  devices: ["gpu"],
  contextTokens: 8192,
  parallel: 1,
  queueLimit: 1,
  threads: 1,
  memory: [terms("gpu", weights)],
  restart: { restarts: 1, window: 1, backoffMin: 1, backoffMax: 1 },
  loadTimeout: 1,
  extraArguments: [],
});
const plan: Plan = {
  gateway: { host: "127.0.0.1", port: 1 },
  services: [service("oracle", 30), service("small", 20)],
  routes: [],
  rejected: [],
  diagnostics: [],
};
const device = (entries: LedgerDevice["entries"]): LedgerDevice => ({
  device: "gpu",
  machine: "here",
  kind: "gpu",
  label: "RTX",
  capacity: 100,
  headroom: 8,
  entries,
  free: 0,
});
const values = (of: LedgerDevice): readonly (readonly [string, number])[] =>
  heldMemory(of, plan)
    .segments.filter(({ value }) => value > 0)
    .map(({ name, value }) => [name, value]);

it("is what each service takes by term, what is kept free, and the rest", () => {
  expect(
    values(
      device([
        { service: "oracle", bytes: 45 },
        { service: "small", bytes: 35 },
      ]),
    ),
  ).toEqual([
    ["oracle weights", 30],
    ["oracle KV cache", 10],
    ["oracle overhead", 5],
    ["small weights", 20],
    ["small KV cache", 10],
    ["small overhead", 5],
    ["kept free", 8],
    ["free", 12],
  ]);
});

it("draws the largest alone of services that take turns", () => {
  const names = values(
    device([
      { service: "oracle", bytes: 45, swapSet: "swap" },
      { service: "small", bytes: 35, swapSet: "swap" },
    ]),
  ).map(([name]) => name);
  expect(names).toEqual(["oracle weights", "oracle KV cache", "oracle overhead", "kept free", "free"]);
});

it("keeps the scale where more is taken than there is", () => {
  expect(heldMemory({ ...device([{ service: "files", bytes: 150 }]), headroom: 50 }, plan)).toMatchObject({
    total: 150,
    segments: [{ value: 150, tone: "other" }, { value: 0 }, { value: 0 }],
  });
});
