import { expect, it } from "vitest";
import type { Card, Hardware, Service } from "../../live/live-state.ts";
import type { LedgerDevice, Measured, Plan } from "../plan/plan-types.ts";
import { machinesOf } from "./machines-of.ts";
import type { Seen } from "./machines-of.ts";

const terms = { weights: 60, kvCache: 10, compute: 5, overhead: 5, total: 80, capacity: 100 };
const oracle: Plan["services"][number] = {
  name: "oracle",
  engine: { name: "llama.cpp", version: "b1" },
  model: { name: "oracle", path: "/models/oracle", sizeBytes: 60 },
  devices: ["gpu0"],
  contextTokens: 8192,
  parallel: 1,
  queueLimit: 1,
  threads: 1,
  memory: [{ device: "gpu0", ...terms }],
  restart: { restarts: 1, window: 1, backoffMin: 1, backoffMax: 1 },
  loadTimeout: 1,
  extraArguments: [],
};
const gpu = (device: string, machine: string, entries: LedgerDevice["entries"] = []): LedgerDevice => ({
  device,
  machine,
  kind: "gpu",
  label: "RTX 5090",
  capacity: 100,
  headroom: 8,
  entries,
  free: 20,
});
const plan = (ledger: readonly LedgerDevice[]): Plan => ({
  gateway: { host: "127.0.0.1", port: 1 },
  services: [oracle],
  routes: [],
  rejected: [],
  diagnostics: [],
  ledger,
});
const card: Card = {
  uuid: "GPU-1",
  index: 0,
  name: "NVIDIA RTX 5090",
  memoryTotal: 110,
  memoryUsed: 85,
  memoryReserved: 10,
  holders: [
    { pid: 7, bytes: 78 },
    { pid: 99, bytes: 4 },
  ],
};
const hardware = (cards: readonly Card[], names: Hardware["names"] = {}): Hardware => ({
  source: "nvml",
  reading: { time: 1, cards, host: { memoryTotal: 1000, memoryAvailable: 700, disks: [] } },
  notes: [],
  names,
});
const service: Service = {
  name: "oracle",
  engine: "llama.cpp",
  model: "oracle",
  state: "ready",
  pid: 7,
  restarts: 0,
  contextTokens: 8192,
  parallel: 1,
  since: 1,
};
const start: Measured = {
  id: 1,
  time: 1,
  service: "oracle",
  model: "oracle",
  engine: "llama.cpp",
  version: "b1",
  cards: [],
  settings: "",
  devices: [{ device: "gpu0", predicted: {}, took: { weights: 60, kvCache: 10, compute: 3 } }],
};
const seen = (more: Partial<Seen>): Seen => ({
  plan: plan([gpu("gpu0", "bunker", [{ service: "oracle", bytes: 80 }])]),
  hardware: hardware([card], { gpu0: "GPU-1" }),
  node: "bunker",
  services: [service],
  measured: [start],
  simulated: false,
  ...more,
});
const layers = (of: Seen) =>
  machinesOf(of).map(({ name, vessels }) => ({
    name,
    vessels: vessels.map(({ device, planned, measured }) => ({
      device,
      planned: planned?.map(({ of, tone, bytes }) => `${of} ${tone} ${bytes}`),
      measured: measured?.map(({ of, tone, bytes }) => `${of} ${tone} ${bytes}`),
    })),
  }));

it("a card is filled by service and term as planned, and by its holders as measured", () => {
  expect(layers(seen({}))[0]).toEqual({
    name: "bunker",
    vessels: [
      {
        device: "gpu0",
        planned: [
          "oracle weights 60",
          "oracle kv 10",
          "oracle compute 5",
          "oracle overhead 5",
          "the driver driver 10",
          "policy reserve 8",
          "nobody free 12",
        ],
        measured: [
          "oracle weights 60",
          "oracle kv 10",
          "oracle compute 3",
          "oracle overhead 5",
          "process 99 other 4",
          "whoever the driver does not name other 3",
          "the driver driver 10",
          "nobody free 15",
        ],
      },
    ],
  });
});

it("what an engine did not tell apart is drawn as one", () => {
  const [machine] = layers(seen({ measured: [] }));
  expect(machine?.vessels[0]?.measured?.[0]).toBe("oracle held 78");
});

it("members of a swap set are counted once, by the largest", () => {
  const entries = [
    { service: "oracle", bytes: 80, swapSet: "turns" },
    { service: "small", bytes: 30, swapSet: "turns" },
  ];
  const [machine] = machinesOf(seen({ plan: plan([gpu("gpu0", "bunker", entries)]) }));
  const planned = machine?.vessels[0]?.planned ?? [];
  expect(planned.map(({ of }) => of)).not.toContain("small");
  expect(planned[0]?.note).toBe("takes turns with small (30 B)");
});

it("machines of a plan stand apart, and only what was seen is measured", () => {
  const two = plan([gpu("a/gpu0", "a"), gpu("b/gpu0", "b")]);
  const machines = machinesOf(seen({ plan: two, hardware: hardware([card], { "b/gpu0": "GPU-1" }) }));
  expect(machines.map(({ name }) => name)).toEqual(["a", "b", "Not in the plan"]);
  expect(machines[0]?.vessels[0]?.unmeasured).toBe("This card was not seen on this machine.");
  expect(machines[1]?.vessels[0]?.card).toBe(card);
});

it("a machine without a plan and without a card still shows its memory", () => {
  expect(layers(seen({ plan: undefined, hardware: hardware([]), services: [], measured: [] }))).toEqual([
    {
      name: "bunker",
      vessels: [
        { device: "cpu", planned: undefined, measured: ["all programs other 300", "nobody free 700"] },
      ],
    },
  ]);
});
