import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ggufOf } from "../../test/fakes/shapes.ts";
import { locatedSpec } from "../../test/fakes/located-spec.ts";
import { planNode } from "./index.ts";
import type { Plan, PlanInput } from "./index.ts";

const CARDS = ["gpu0", "gpu1", "gpu2"] as const;
const { spec } = locatedSpec(`metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 96GB }
  gpus:
    gpu0: { model: RTX 5090 }
    gpu1: { model: RTX 3090 }
    gpu2: { model: RTX 3090 }
models: { a: ./a.gguf, b: ./b.gguf, c: ./c.gguf, d: ./d.gguf }
engines: { spare: { kind: llama.cpp } }
services:
  a: { model: a, engine: [llama.cpp, spare], devices: gpu0 }
  b: { model: b, engine: [llama.cpp, spare] }
  c: { model: c, engine: [llama.cpp, spare], replicas: 2 }
  d: { model: d, engine: llama.cpp, sharing: exclusive }
`);
const shapes: PlanInput["shapes"] = new Map([
  ["a", ggufOf(8)],
  ["b", ggufOf(12)],
  ["c", ggufOf(6)],
  ["d", ggufOf(20)],
]);
const made = (more: Partial<PlanInput> = {}): Plan => planNode({ spec, shapes, ...more });
const used = ({ services }: Plan): readonly string[] => services.flatMap(({ devices }) => devices);

describe("a plan without lost cards", () => {
  test("has nothing on them, in no ledger and no swap set, whichever are lost and whoever failed", () => {
    fc.assert(
      fc.property(
        fc.subarray([...CARDS]),
        fc.subarray(["a/llama.cpp", "b/llama.cpp", "c/spare", "d/llama.cpp"]),
        (lost, failed) => {
          const plan = made({
            lostDevices: new Set(lost),
            forbid: (_engine, _settings, { service, engine }) =>
              failed.includes(`${service}/${engine}`)
                ? { code: "engine.gave-up", reason: "it failed", hint: "" }
                : undefined,
          });
          for (const card of lost) {
            expect(used(plan)).not.toContain(card);
            expect(plan.ledger?.map(({ device }) => device)).not.toContain(card);
            expect(plan.swapSets?.flatMap(({ devices }) => devices)).not.toContain(card);
          }
          for (const { name, replicaOf, engine } of plan.services)
            expect(failed).not.toContain(`${replicaOf ?? name}/${engine.name}`);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("is byte for byte the plan of before where none is lost, and again once all are back", () => {
    const before = JSON.stringify(made());
    expect(JSON.stringify(made({ lostDevices: new Set() }))).toBe(before);
    made({ lostDevices: new Set(["gpu1"]) });
    expect(JSON.stringify(made({ lostDevices: new Set() }))).toBe(before);
  });

  test("tells who is bound to one that it is lost, and what to do", () => {
    const { rejected, services } = made({ lostDevices: new Set(["gpu0"]) });
    expect(services.map(({ name }) => name)).not.toContain("a");
    expect(rejected.find(({ service }) => service === "a")).toMatchObject({
      code: "gpu.lost",
      reason: "it is bound to gpu0, which is lost",
      hint: expect.stringContaining("devices: auto lets it go elsewhere."),
    });
  });

  test("takes the next engine of a chain whose first one is forbidden for that service alone", () => {
    const plan = made({
      forbid: (_engine, _settings, { service, engine }) =>
        service === "b" && engine === "llama.cpp"
          ? { code: "engine.gave-up", reason: "it failed again and again", hint: "" }
          : undefined,
    });
    const engines = Object.fromEntries(plan.services.map(({ name, engine }) => [name, engine.name]));
    expect(engines).toMatchObject({ a: "llama.cpp", b: "spare", c: "llama.cpp", "c-2": "llama.cpp" });
  });
});
