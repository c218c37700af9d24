import fc from "fast-check";
import { assert, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { initDocument } from "../../src/cli/init-document.ts";
import { metalOf } from "../../src/cli/init-metal.ts";
import type { FoundModel } from "../../src/cli/init-models.ts";
import { chooseServices } from "../../src/cli/init-services.ts";
import { GIB, MIB } from "../../src/core/index.ts";
import type { DiskInventory, GpuInventory, MachineInventory } from "../../src/inventory/index.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { denseShape } from "../fakes/dense-shape.ts";

/** Words that YAML, shells or terminals take for something else. */
const NASTY = fc.oneof(
  fc.constantFrom(
    'AMD EPYC: "9004" #1',
    "yes",
    "~",
    "null",
    "1e3",
    "0x1F",
    "012",
    "- a",
    "? b",
    "&anchor *alias",
    "!tag",
    "{a: b}",
    "[1, 2]",
    "a # b",
    "'",
    "%YAML",
    "2024-01-01",
    "a\nb",
    "\u007F\u0085\u2028",
    "\uFEFFx",
    "日本語 🐋",
    " padded ",
    "--- ",
    "=",
    "<<",
    "__proto__",
    "constructor",
    "x".repeat(3000),
  ),
  fc.string({ unit: "binary", maxLength: 24 }),
  fc.string({ maxLength: 24 }),
);
const BYTES = fc.integer({ min: 0, max: 2 ** 46 });
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const uuid = fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map((parts) => `GPU-${parts.join("-")}`);

const gpu: fc.Arbitrary<GpuInventory> = fc.record(
  {
    name: fc.oneof(NASTY, fc.constantFrom("NVIDIA GeForce RTX 3080", "RTX 5090", "cpu", "auto")),
    vendor: fc.constantFrom("nvidia" as const, "nvidia" as const, "amd" as const, "intel" as const),
    uuid: fc.oneof(uuid, fc.constant("GPU-f4f210c1-5a52-7267-979e-fe922961190a"), NASTY),
    pci: fc.oneof(
      hex(2).map((bus) => `0000:${bus}:00.0`),
      fc.constantFrom("10000:e1:00.0", "0000:01:00.1"),
    ),
    pciId: fc.constantFrom("10de:2206", "10de:2d04", "10de:dead", "1002:744c"),
    index: fc.nat(80),
    memoryTotal: BYTES,
    memoryUsed: BYTES,
    computeCapability: fc.constantFrom("8.6", "12.0", "[N/A]"),
    numaNode: fc.nat(70),
    link: fc.record({ generation: fc.nat(9), lanes: fc.nat(40) }),
    kernelDriver: fc.constantFrom("nvidia", "vfio-pci", "nvidia-drm", "amdgpu"),
  },
  { requiredKeys: ["name", "vendor"] },
);

const disk: fc.Arbitrary<DiskInventory> = fc.record(
  {
    name: NASTY,
    byId: NASTY,
    serial: fc.oneof(NASTY, fc.constant("QEMU0001")),
    model: NASTY,
    size: BYTES,
    rotational: fc.boolean(),
    mounts: fc.array(
      fc.record({
        path: fc.oneof(
          fc.constantFrom("/", "/mnt", "/mnt/a b"),
          NASTY.map((name) => `/${name}`),
        ),
        filesystem: fc.constantFrom("ext4", "xfs", "vfat", "zfs", "overlay"),
        size: BYTES,
        free: BYTES,
      }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ["name", "mounts"] },
);

const machine: fc.Arbitrary<MachineInventory> = fc.record(
  {
    hostname: NASTY,
    cpu: fc.record(
      {
        model: NASTY,
        sockets: fc.nat(20),
        cores: fc.nat(5000),
        threads: fc.nat(9000),
        features: fc.array(fc.oneof(NASTY, fc.constantFrom("avx2", "avx512f"))),
        caches: fc.constant({}),
      },
      { requiredKeys: ["cores", "threads", "features", "caches"] },
    ),
    numa: fc.array(
      fc.record({ id: fc.nat(70), cpus: fc.constantFrom("0-3", "", "0-1,8-9", "bad"), memory: BYTES }),
      { maxLength: 9 },
    ),
    memory: fc.record(
      {
        total: BYTES,
        available: BYTES,
        hugepages: fc.array(
          fc.record({
            size: fc.constantFrom(2 * MIB, GIB, 64 * 1024),
            count: fc.nat(2_000_000),
            free: fc.nat(),
          }),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: ["total", "available"] },
    ),
    gpus: fc.array(gpu, { maxLength: 6 }),
    disks: fc.array(disk, { maxLength: 5 }),
    driver: fc.record({
      version: NASTY,
      cuda: NASTY,
      flavour: fc.constantFrom("open" as const, "proprietary" as const),
    }),
    docker: fc.boolean(),
    notes: fc.array(fc.record({ probe: NASTY, message: NASTY }), { maxLength: 3 }),
  },
  { requiredKeys: ["hostname", "cpu", "numa", "memory", "gpus", "disks", "docker", "notes"] },
);

const modelNames = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/), { maxLength: 6 });
const models: fc.Arbitrary<FoundModel[]> = modelNames.chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc
        .record({
          path: NASTY.map((path) => `/${path}.gguf`),
          bytes: BYTES,
          trained: fc.nat(1_000_000),
          architecture: fc.constantFrom("llama", "nomic-bert"),
          fault: fc.option(NASTY),
        })
        .map(({ path, bytes, trained, architecture, fault }): FoundModel =>
          fault === null
            ? { name, path, shape: denseShape(bytes, trained, architecture) }
            : { name, path, fault },
        ),
    ),
  ),
);

/** The sections that have something in them; an empty one is left out of the file. */
const filled = (sections: Readonly<Record<string, object | undefined>>): object =>
  Object.fromEntries(Object.entries(sections).filter(([, section]) => Object.keys(section ?? {}).length > 0));

const specOf = (seen: MachineInventory, found: readonly FoundModel[], llamaServer = true) => {
  const choice = chooseServices({ machine: seen, models: found, llamaServer });
  const text = initDocument({ machine: seen, choice, file: "/home/me/omni.yaml", runtime: ["why\nnot"] });
  return { choice, text, ...loadSpec(text, "omni.yaml") };
};

describe("the document of init", () => {
  it("is valid for every machine and every model, whatever their names", () => {
    fc.assert(
      fc.property(machine, models, fc.boolean(), (seen, found, llamaServer) => {
        const { spec, diagnostics, choice, text } = specOf(seen, found, llamaServer);
        expect(
          diagnostics.filter((d) => d.severity === "error").map((d) => [d.path, d.message, text]),
        ).toEqual([]);
        expect(diagnostics.filter((d) => d.code === "disk-by-unstable-name")).toEqual([]);
        expect(Object.keys(spec?.services ?? {})).toHaveLength(Math.max(1, choice.services.length));
        for (const { model } of choice.services)
          expect(spec?.models[model.name]?.source.file).toBe(
            model.path.startsWith("/home/me/") ? `./${model.path.slice(9)}` : model.path,
          );
      }),
      { numRuns: 60 },
    );
  });

  it("lists each model that is left out so that taking the mark away makes it an entry", () => {
    const path = "/mnt/a: b #1/it's.gguf";
    const huge: FoundModel = { name: "huge", path, shape: denseShape(2 ** 50, 4096) };
    const [seen] = fc.sample(machine, { numRuns: 1, seed: 1 });
    assert(seen !== undefined);
    const { text } = specOf(seen, [huge]);
    expect(text).toMatch(/# Not served: .*needs [\d.]+ [MGTP]iB/);
    const { spec } = loadSpec(text.replace("# huge:", "huge:"), "omni.yaml");
    expect(spec?.models["huge"]?.source.file).toBe(path);
  });

  it("says of the hardware what was typed: every value comes back as it was", () => {
    fc.assert(
      fc.property(machine, (seen) => {
        const { cpu, memory, gpus, disks, driver } = metalOf(seen);
        const { text } = specOf(seen, []);
        const written: unknown = parse(text);
        expect(written).toMatchObject({
          omni: 1,
          metal: { memory, ...filled({ cpu, gpus: gpus.value, disks: disks.value, driver }) },
        });
      }),
      { numRuns: 100 },
    );
  });
});
