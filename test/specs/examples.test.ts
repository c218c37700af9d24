import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../../src/core/index.ts";
import type { Spec } from "../../src/spec/index.ts";
import { loadSpec } from "../../src/spec/index.ts";

/** The examples are what people copy: each passes, says what it is, and still states what its owner's document states. */
const folder = join(import.meta.dirname, "..", "..", "examples");
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const fixed = names.filter((name) => name.endsWith(".fixed.yaml"));
const textOf = (name: string): string => readFileSync(join(folder, name), "utf8");
const problemsOf = (name: string): string[] => loadSpec(textOf(name), name).diagnostics.map(formatDiagnostic);

function specOf(name: string): Spec {
  const { spec, diagnostics } = loadSpec(textOf(name), name);
  if (spec === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  return spec;
}

const onlyOf = <T>(named: Readonly<Record<string, T>>): T | undefined => Object.values(named)[0];

const cardsOf = (spec: Spec): unknown =>
  Object.entries(onlyOf(spec.machines)?.gpus ?? {}).map(([card, { model, uuid, pci, tier }]) => ({
    card,
    model,
    uuid,
    pci,
    tier,
  }));

/** What the Talos image factory hashes for a list of extensions and nothing else. */
function schematicOf(extensions: readonly string[]): string {
  const list = extensions.map((name) => `            - ${name}\n`).join("");
  return createHash("sha256")
    .update(`customization:\n    systemExtensions:\n        officialExtensions:\n${list}`)
    .digest("hex");
}

describe("examples", () => {
  it.each(names)("%s has no error and names its schema", (name) => {
    const { diagnostics } = loadSpec(textOf(name), name);
    expect(diagnostics.filter((d) => d.severity === "error").map(formatDiagnostic)).toEqual([]);
    expect(textOf(name).split("\n")[0]).toBe(
      "# yaml-language-server: $schema=../docs/reference/omni.schema.json",
    );
  });

  it("laptop.yaml is under ten lines", () => {
    expect(textOf("laptop.yaml").trimEnd().split("\n").length).toBeLessThan(10);
  });

  it("has a corrected spec beside each reference system", () => {
    expect(fixed).toEqual(
      ["ai-factory", "concrete-bunker", "leviathan", "omni-prime"].map((name) => `${name}.fixed.yaml`),
    );
    for (const name of fixed) expect(names).toContain(name.replace(".fixed", ""));
  });

  it.each(fixed)("%s is free of warnings and describes the same cards", (name) => {
    expect(problemsOf(name)).toEqual([]);
    expect(cardsOf(specOf(name))).toEqual(cardsOf(specOf(name.replace(".fixed", ""))));
  });

  it.each(["omni-prime.yaml", "omni-prime.fixed.yaml"])(
    "the schematic of %s is that of its extensions",
    (name) => {
      const { schematic, extensions = [] } = onlyOf(specOf(name).guests)?.talos ?? {};
      expect(schematic).toBe(schematicOf(extensions));
    },
  );

  it.each(["omni-prime", "leviathan"])("%s warns of its disk name, the corrected one does not", (name) => {
    const codes = loadSpec(textOf(`${name}.yaml`), name).diagnostics.map((d) => d.code);
    expect(codes).toEqual(["disk-by-unstable-name"]);
  });
});

describe("what the owners wrote", () => {
  it("omni-prime: host, VM, image, both services", () => {
    const spec = specOf("omni-prime.yaml");
    expect(onlyOf(spec.machines)?.boot?.arguments).toEqual([
      "amd_iommu=on",
      "iommu=pt",
      "pcie_aspm=off",
      "vfio_pci.disable_idle_d3=1",
    ]);
    expect(onlyOf(spec.machines)?.kernel).toMatchObject({ atMost: "6.8.4", package: "proxmox-kernel-6.8" });
    expect(onlyOf(spec.machines)?.passthrough).toMatchObject({
      script: "/usr/local/bin/omni-switch",
      order: ["audio", "video"],
    });
    expect(onlyOf(spec.guests)?.vm).toMatchObject({ id: 105, cores: 96, memory: 300e9 });
    expect(onlyOf(spec.guests)?.vm?.hostpci?.["hostpci1"]).toMatchObject({
      gpu: "rtx5090",
      romFile: "palit.rom",
    });
    expect(onlyOf(spec.guests)?.talos?.kernelArguments).toEqual({
      by: "machine-config",
      arguments: ["nvidia-drm.modeset=0", "console=tty0"],
    });
    expect(spec.services["deepseek-v3"]).toMatchObject({
      context: 32_768,
      memoryFraction: 0.95,
      tensorParallel: 1,
      cudaGraphs: false,
      quantization: "compressed-tensors",
      port: 8000,
      nodePort: 30_001,
      resources: { limits: { "nvidia.com/gpu": 1 } },
      environment: { NVIDIA_VISIBLE_DEVICES: "GPU-f4f210c1-5a52-7267-979e-fe922961190a" },
    });
    expect(spec.services["flux"]).toMatchObject({ nodePort: 30_188, takes: { vram: 32e9 } });
    expect(spec.tools["postgres"]?.exposure).toEqual(["sse", "stdio"]);
    expect(spec.gateway.mcp.legacySse).toBe(true);
  });

  it("leviathan: disk, download, build, push, fallback", () => {
    const spec = specOf("leviathan.yaml");
    expect(onlyOf(spec.machines)?.disks?.["nvme"]).toMatchObject({
      device: "/dev/nvme0n1",
      size: 4e12,
      filesystem: "xfs",
      mount: "/var/mnt/data",
      prepare: "pod",
      propagation: "Bidirectional",
    });
    expect(spec.models["deepseek-v3"]).toMatchObject({
      source: { hub: "unsloth/DeepSeek-V3-GGUF", files: ["*Q4_K_M*"] },
      size: { min: 100e9, max: 150e9 },
      store: { path: "/var/mnt/data/models/deepseek-v3-gguf" },
    });
    expect(spec.engines["leviathan"]).toMatchObject({
      kind: "ktransformers",
      entrypoint: ["python3", "-m", "ktransformers.server.main"],
      build: {
        base: "192.168.3.10:5000/omni/engine:bleeding-edge-v2",
        dockerfile: "/root/docker/Dockerfile.leviathan",
        network: "host",
        cudaArchitectures: ["9.0a", "10.0"],
        environment: { ENABLE_DEEPGEMM: 1 },
        push: "local",
      },
    });
    expect(spec.services["leviathan"]).toMatchObject({ engine: ["leviathan", "vllm"], port: 30_000 });
  });

  it("ai-factory: six cards in three tiers, two of them at work", () => {
    const spec = specOf("ai-factory.yaml");
    const tiers = Object.groupBy(Object.values(onlyOf(spec.machines)?.gpus ?? {}), (gpu) => gpu.tier ?? "");
    expect(Object.entries(tiers).map(([tier, gpus = []]) => [tier, gpus.map((gpu) => gpu.index)])).toEqual([
      ["tier-1", [0, 5]],
      ["tier-2", [2]],
      ["tier-3", [1, 3, 4]],
    ]);
    expect(spec.engines["triton"]).toMatchObject({
      version: "24.12",
      image: "nvcr.io/nvidia/tritonserver:24.12-vllm-python-py3",
    });
    expect(spec.services["mistral-nemo"]).toMatchObject({
      devices: { kind: "gpus", gpus: ["gpu-0", "gpu-5"] },
      tensorParallel: 2,
      context: 32_768,
      shm: 32 * 1024 ** 3,
    });
  });

  it("concrete-bunker: oracle, executor, networks, ladder", () => {
    const spec = specOf("concrete-bunker.yaml");
    expect(spec.services["deepseek-v32"]).toMatchObject({
      context: 8192,
      networks: ["omni-network", "internal_brain"],
      ladder: [
        { step: "offload-kv-cache" },
        { step: "halve-context", floor: 4096 },
        { step: "route-long-prompts", to: "qwen-executor" },
      ],
      expect: { tokensPerSecond: 10.9, vram: 117e9 },
    });
    expect(spec.services["qwen-executor"]).toMatchObject({
      devices: { kind: "cpu" },
      threads: 192,
      environment: { CUDA_VISIBLE_DEVICES: "" },
    });
    expect(spec.networks["internal_brain"]).toMatchObject({ internal: true, subnet: "172.31.0.0/16" });
    expect(specOf("concrete-bunker.fixed.yaml").services["deepseek-v32"]?.networks).toEqual([
      "internal_brain",
    ]);
  });
});
