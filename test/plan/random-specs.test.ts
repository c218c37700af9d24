import fc from "fast-check";
import { expect, it } from "vitest";
import type { ModelShape } from "../../src/models/index.ts";
import { planNode } from "../../src/plan/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { familyShape, ggufOf } from "../fakes/shapes.ts";

const MODELS: Readonly<Record<string, { readonly shape: ModelShape; readonly engines: readonly string[] }>> =
  {
    tiny: { shape: ggufOf(2, 32_768), engines: ["llama.cpp", "embedded"] },
    middle: { shape: ggufOf(9, 131_072), engines: ["llama.cpp"] },
    large: { shape: ggufOf(30, 8192), engines: ["llama.cpp"] },
    experts: { shape: familyShape("Qwen3-30B-A3B", "Q4_K_M", "gguf"), engines: ["llama.cpp"] },
    tensors: { shape: familyShape("Mistral-Nemo-12B", "w4a16", "safetensors"), engines: ["vllm", "sglang"] },
  };
const CARDS = ["RTX 3080", "RTX 3060", "RTX 4090", "RTX 5090", "L4"];

const service = fc.record({
  model: fc.constantFrom(...Object.keys(MODELS)),
  context: fc.constantFrom("auto", 4096, 16_384),
  parallel: fc.constantFrom("auto", 1, 4),
  priority: fc.integer({ min: 0, max: 9 }),
  sharing: fc.constantFrom(undefined, "exclusive", "shared"),
  devices: fc.constantFrom("auto", "auto", "auto", "cpu"),
});

const system = fc.record({
  cards: fc.array(fc.constantFrom(...CARDS), { maxLength: 3 }),
  memory: fc.constantFrom("16GiB", "64GiB", "256GiB"),
  services: fc.array(service, { minLength: 1, maxLength: 3 }),
  swap: fc.constantFrom("auto", "off"),
});

function plan(input: typeof system extends fc.Arbitrary<infer T> ? T : never): Plan {
  const spec = {
    omni: 1,
    runtime: "docker",
    metal: {
      memory: { size: input.memory },
      cpu: { cores: 16 },
      gpus: Object.fromEntries(input.cards.map((card, index) => [`gpu${index}`, card])),
    },
    models: Object.fromEntries(
      Object.entries(MODELS).map(([name, { shape }]) => [
        name,
        { source: `hf:x/${name}`, format: shape.format },
      ]),
    ),
    services: Object.fromEntries(
      input.services.map(({ model, sharing, devices, ...rest }, index) => [
        `s${index}`,
        {
          model,
          // The embedded engine is a process of this machine; the others run in containers.
          engine:
            devices === "cpu"
              ? ["llama.cpp"]
              : MODELS[model]?.engines.filter((engine) => engine !== "embedded"),
          devices,
          ...rest,
          ...(sharing === undefined ? {} : { sharing }),
        },
      ]),
    ),
    policies: { swap: { mode: input.swap } },
  };
  const loaded = loadSpec(JSON.stringify(spec), "random");
  if (loaded.spec === undefined) throw new Error(JSON.stringify(loaded.diagnostics));
  const shapes = new Map(Object.entries(MODELS).map(([name, { shape }]) => [name, shape]));
  return planNode({ spec: loaded.spec, shapes });
}

it("no device is ever over its capacity, every service is placed or refused, and twice is the same", () => {
  fc.assert(
    fc.property(system, (input) => {
      const made = plan(input);
      for (const device of made.ledger ?? []) {
        const turns = Map.groupBy(device.entries, (entry) => entry.swapSet ?? `alone ${entry.service}`);
        const most = [...turns.values()].map((entries) => Math.max(...entries.map((entry) => entry.bytes)));
        expect(most.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(
          device.capacity - device.headroom,
        );
      }
      const placed = new Set(made.services.map((one) => one.name));
      for (const index of input.services.keys()) {
        const name = `s${index}`;
        const refused = made.rejected.some(
          (one) => one.service === name && one.reason !== "" && one.alternative !== true,
        );
        expect(placed.has(name) || refused).toBe(true);
      }
      for (const one of made.services)
        for (const terms of one.memory)
          expect(terms.total).toBe(terms.weights + terms.kvCache + terms.compute + terms.overhead);
      const exclusive = input.services.flatMap(({ sharing }, index) =>
        sharing === "exclusive" ? (made.services.find((one) => one.name === `s${index}`) ?? []) : [],
      );
      const shared = (made.ledger ?? []).filter(
        (device) =>
          device.kind === "gpu" &&
          device.entries.length > 1 &&
          exclusive.some((alone) => alone.devices.includes(device.device)),
      );
      expect(shared).toEqual([]);
      expect(JSON.stringify(plan(input))).toBe(JSON.stringify(made));
    }),
    { numRuns: 40 },
  );
});
