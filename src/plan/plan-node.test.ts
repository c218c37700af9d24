import { describe, expect, it } from "vitest";
import { familyShape, ggufOf } from "../../test/fakes/shapes.ts";
import { GIB, OmniError } from "../core/index.ts";
import type { MachineInventory } from "../inventory/machine.ts";
import type { ModelShape } from "../models/index.ts";
import { loadSpec } from "../spec/index.ts";
import { planNode } from "./index.ts";
import type { Plan } from "./index.ts";

const SMALL = ggufOf(1.5);
const LARGE = ggufOf(8);

const OBSERVED: MachineInventory = {
  hostname: "here",
  cpu: { cores: 8, threads: 16, features: [], caches: {} },
  numa: [],
  memory: { total: 16 * GIB, available: 12 * GIB },
  gpus: [],
  disks: [],
  docker: false,
  notes: [],
};

function plan(text: string, models: Record<string, ModelShape | OmniError>): Plan {
  const { spec, diagnostics } = loadSpec(`omni: 1\n${text}`, "test.yaml");
  if (spec === undefined) throw new Error(JSON.stringify(diagnostics));
  return planNode({
    spec,
    shapes: new Map(Object.entries(models)),
    paths: new Map([["chat", "/models/a.gguf"]]),
    observed: OBSERVED,
  });
}

const placed = (made: Plan): Record<string, string> =>
  Object.fromEntries(
    made.services.map((service) => [service.name, `${service.engine.name}@${service.devices.join("+")}`]),
  );

describe("planNode on this machine", () => {
  it("makes a service and a route of every model when the spec names none", () => {
    const { services, routes, gateway, diagnostics } = plan("models: { chat: ./a.gguf }", { chat: SMALL });
    expect(services).toMatchObject([
      {
        name: "chat",
        engine: { name: "embedded" },
        contextTokens: 4096,
        devices: ["cpu"],
        model: { path: "/models/a.gguf" },
      },
    ]);
    expect(routes).toMatchObject([
      { name: "chat", services: ["chat"], rules: { route: "chat", retries: 2 } },
    ]);
    expect(gateway).toEqual({ host: "127.0.0.1", port: 4664 });
    expect(diagnostics).toEqual([]);
  });

  it("places what fits and says who has the room of what does not", () => {
    const { services, rejected } = plan(
      "models: { big: ./a.gguf, other: ./b.gguf }\npolicies: { swap: { mode: off } }",
      {
        big: LARGE,
        other: LARGE,
      },
    );
    expect(services.map((service) => service.name)).toEqual(["big"]);
    expect(rejected).toMatchObject([
      { service: "other", code: "does-not-fit", reason: expect.stringContaining("big takes") },
    ]);
  });

  it("lets two that do not fit together take turns", () => {
    const { services, swapSets } = plan("models: { big: ./a.gguf, other: ./b.gguf }", {
      big: LARGE,
      other: LARGE,
    });
    expect(services.map((service) => service.name)).toEqual(["big", "other"]);
    expect(swapSets).toMatchObject([{ services: expect.arrayContaining(["big", "other"]), standing: "big" }]);
  });

  it("refuses with the arithmetic what no memory holds", () => {
    const { rejected, diagnostics } = plan("models: { m: ./a.gguf }", { m: ggufOf(20) });
    expect(rejected).toMatchObject([
      { service: "m", engine: "embedded", reason: expect.stringMatching(/20\.\d\d GiB/) },
    ]);
    expect(diagnostics).toMatchObject([{ severity: "error", path: "services.m" }]);
  });

  it("carries a model's own fault to the service that wants it", () => {
    const fault = new OmniError("model.truncated", "a.gguf is incomplete");
    expect(plan("models: { m: ./a.gguf }", { m: fault }).diagnostics).toMatchObject([
      { code: "model.truncated", severity: "error" },
    ]);
  });

  it("routes names, aliases, roles and models to what was placed, in order", () => {
    const text = `models: { m: ./a.gguf, n: ./b.gguf }
services:
  fast: { model: m, role: executor }
  slow: { model: n, role: failsafe }
routes:
  smart: { services: [slow, fast], aliases: [gpt-4o] }`;
    const fault = new OmniError("model.not-gguf", "b.gguf is no GGUF file");
    expect(plan(text, { m: SMALL, n: fault }).routes).toMatchObject([
      { name: "smart", services: ["fast"] },
      { name: "gpt-4o", services: ["fast"] },
      { name: "fast", services: ["fast"] },
      { name: "executor", services: ["fast"] },
      { name: "m", services: ["fast"] },
    ]);
  });

  it("says which parts of a valid spec it does not act on", () => {
    const text = `models: { m: ./a.gguf }
services: { a: { model: m } }
tools: { docs: { filesystem: { roots: { docs: /srv/docs } } } }
networks: { inner: { internal: true } }`;
    const warned = plan(text, { m: SMALL }).diagnostics.filter(
      (diagnostic) => diagnostic.code === "plan.not-applied",
    );
    expect(warned.map((diagnostic) => diagnostic.path)).toEqual(["networks"]);
  });
});

const BOX = `metal:
  cpu: { cores: 16 }
  memory: { size: 64GiB }
  gpus: { big: RTX 4090, small: RTX 3060 }
`;

describe("planNode on cards", () => {
  it("puts the larger model on the larger card without being told", () => {
    const made = plan(
      `${BOX}runtime: docker
models: { a: "hf:x/a-GGUF", b: "hf:x/b-GGUF" }
services:
  first: { model: a, engine: llama.cpp, context: 4096 }
  second: { model: b, engine: llama.cpp, context: 4096 }`,
      { a: ggufOf(6), b: ggufOf(18) },
    );
    expect(placed(made)).toEqual({ first: "llama.cpp@small", second: "llama.cpp@big" });
    expect(made.services.every((service) => service.resident)).toBe(true);
  });

  it("never takes more of a device than it has, headroom aside", () => {
    const made = plan(
      `${BOX}runtime: docker
models: { a: "hf:x/a-GGUF", b: "hf:x/b-GGUF", c: "hf:x/c-GGUF" }
services: { one: { model: a, engine: llama.cpp }, two: { model: b, engine: llama.cpp }, three: { model: c, engine: llama.cpp } }`,
      { a: ggufOf(6, 131_072), b: ggufOf(9, 131_072), c: ggufOf(12, 131_072) },
    );
    expect(made.services).toHaveLength(3);
    for (const device of made.ledger ?? [])
      expect(device.entries.reduce((sum, entry) => sum + entry.bytes, 0)).toBeLessThanOrEqual(
        device.capacity - device.headroom,
      );
  });

  it("passes over an engine that a gate refuses and takes the next, with the reason", () => {
    const made = plan(
      `metal: { memory: { size: 64GiB }, gpus: { old: T4 } }
runtime: docker
models: { m: "hf:x/m" }
services: { s: { model: m, engine: [vllm, llama.cpp], context: 4096 } }`,
      { m: ggufOf(4) },
    );
    expect(placed(made)).toEqual({ s: "llama.cpp@old" });
    expect(made.rejected).toMatchObject([{ engine: "vllm", code: "gguf-in-vllm" }]);
  });

  it("numbers replicas, spreads them, and routes to all of them", () => {
    const made = plan(
      `metal: { memory: { size: 64GiB }, gpus: { one: RTX 4090, two: RTX 4090 } }
runtime: docker
models: { m: "hf:x/m-GGUF" }
services: { s: { model: m, engine: llama.cpp, replicas: 2, context: 4096 } }`,
      { m: ggufOf(18) },
    );
    expect(placed(made)).toEqual({ s: "llama.cpp@one", "s-2": "llama.cpp@two" });
    expect(made.routes[0]).toMatchObject({ name: "s", services: ["s", "s-2"] });
  });

  it("gives no replica the name of a service, nor one that is too long for a label", () => {
    const long = "l".repeat(63);
    const made = plan(
      `metal: { memory: { size: 64GiB } }
runtime: docker
models: { m: "hf:x/m-GGUF" }
services:
  s: { model: m, engine: llama.cpp, devices: cpu, replicas: 3, context: 4096 }
  s-2: { model: m, engine: llama.cpp, devices: cpu, context: 4096 }
  ${long}: { model: m, engine: llama.cpp, devices: cpu, replicas: 2, context: 4096 }`,
      { m: ggufOf(1) },
    );
    const replicas = made.services.filter(({ replicaOf }) => replicaOf !== undefined);
    expect(replicas.map(({ name, replicaOf }) => [name, replicaOf])).toEqual([
      ["s-3", "s"],
      ["s-4", "s"],
      [`${"l".repeat(61)}-2`, long],
    ]);
  });

  it("says what each rung of the ladder frees, on top of the ones before", () => {
    const made = plan(
      `${BOX}runtime: docker
models: { m: "hf:x/m-GGUF" }
services:
  s: { model: m, engine: llama.cpp, devices: big, context: 32768, parallel: 1, ladder: [quantize-kv-cache, halve-context, offload-kv-cache, offload-experts] }`,
      { m: ggufOf(8, 131_072) },
    );
    const ladder = made.services[0]?.ladder ?? [];
    // 32 768 tokens × 128 KiB in f16 are 4 GiB; q8_0 takes 8.5 of 16 bits; half of the context takes half of that.
    const kv = 32_768 * 131_072;
    const freed = (index: number): number =>
      ladder[index]?.frees.find((one) => one.device === "big")?.bytes ?? 0;
    expect(freed(0)).toBeGreaterThan(kv * (1 - 8.5 / 16) * 0.8);
    expect(freed(0)).toBeLessThan(kv * (1 - 8.5 / 16) * 1.05);
    expect(freed(1)).toBeGreaterThan(((kv * 8.5) / 16 / 2) * 0.95);
    expect(freed(2)).toBeGreaterThan(((kv * 8.5) / 16 / 2) * 0.9);
    expect(ladder[3]).toMatchObject({ noEffect: "the model has no experts" });
  });

  it("refuses a download that its disk does not hold, and an unstated disk never", () => {
    const text = (disk: string): string => `metal:
  memory: { size: 64GiB }
  gpus: { card: RTX 4090 }
  disks: { store: { serial: S1, mount: /data, ${disk} } }
runtime: docker
models: { m: { source: "hf:x/m-GGUF", store: { disk: store, path: /data/m } } }
services: { s: { model: m, engine: llama.cpp } }`;
    expect(plan(text("free: 20GB"), { m: ggufOf(12) }).rejected).toMatchObject([
      { code: "disk-too-small", reason: expect.stringContaining("18.63 GiB") },
    ]);
    expect(plan(text("role: models"), { m: ggufOf(12) }).services).toHaveLength(1);
  });

  it("refuses an image of 21 GB on a root with 5 GB free, and 404 GB of weights on a disk of 150 GB", () => {
    const text = (rest: string): string => `metal:
  memory: { size: 768GiB }
  rootFree: ${rest}
  gpus: { card: L40S }
  disks: { store: { serial: S1, mount: /data, size: 150GB } }
runtime: docker
models: { m: { source: "hf:x/DeepSeek-V3-GGUF", store: { disk: store, path: /data/m } } }
engines: { kt: { kind: ktransformers, version: 0.4.3, image: "approachingai/ktransformers:v0.4.3" } }
services: { s: { model: m, engine: kt, cpuMoe: true, context: 8192 } }`;
    const small = { m: familyShape("DeepSeek-V3", "IQ1_S", "gguf") };
    expect(plan(text("5GB"), small).rejected).toMatchObject([
      { code: "disk-too-small", reason: expect.stringMatching(/19\.56 GiB .* 4\.66 GiB free/) },
    ]);
    const large = { m: familyShape("DeepSeek-V3", "Q4_K_M", "gguf") };
    expect(plan(text("100GB"), large).rejected).toMatchObject([
      { code: "disk-too-small", reason: expect.stringMatching(/376\.\d\d GiB .* 139\.70 GiB/) },
    ]);
  });

  it("gives the same plan for the same input, byte for byte", () => {
    const text = `${BOX}runtime: docker\nmodels: { a: "hf:x/a-GGUF", b: "hf:x/b-GGUF" }`;
    const shapes = { a: ggufOf(6, 32_768), b: familyShape("Qwen3-4B", "Q4_K_M", "gguf") };
    expect(JSON.stringify(plan(text, shapes))).toBe(JSON.stringify(plan(text, shapes)));
  });
});
