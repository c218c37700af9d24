import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatDiagnostic } from "../../src/core/index.ts";
import type { Diagnostic } from "../../src/core/index.ts";
import { adviserOf } from "./advise-text.ts";

/** What the spec alone shows of the reference systems; a plan adds what does not fit them. */
const folder = join(import.meta.dirname, "..", "..", "examples");
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
const adviceOn = (name: string): readonly Diagnostic[] =>
  adviserOf(readFileSync(join(folder, name), "utf8"), name)();
const summary = (name: string): string[] =>
  adviceOn(name).map(({ severity, code, path }) => `${severity} ${code} ${path ?? ""}`);

describe("the examples as their owners wrote them", () => {
  it("omni-prime", () => {
    expect(summary("omni-prime.yaml")).toEqual([
      "warning amd-iommu-on-noop metal.boot.arguments[0]",
      "warning pcie-aspm-off-noop metal.boot.arguments[2]",
      "warning kernel-unexpected-for-pve metal.kernel.pin",
      "error kernel-pin-contradiction metal.kernel.atMost",
      "error numa-memory-sum guest.vm.numa",
      "error gpu-needs-open-modules guest.talos.extensions[2]",
      "error talos-kernel-args-ignored guest.talos.kernelArguments.by",
      "warning talos-module-parameter-on-cmdline guest.talos.kernelArguments.arguments[0]",
      "note model-size-claim models.deepseek-r1-70b.size",
      "warning image-not-pinned engines.vllm.image",
      'error gpu-double-pinned services.deepseek-v3.resources.limits["nvidia.com/gpu"]',
      "warning image-not-pinned runbook.commandModule.image",
    ]);
  });

  it("ai-factory", () => {
    expect(summary("ai-factory.yaml")).toEqual([
      "error not-fully-resident services.mistral-nemo.expect.vram",
    ]);
  });

  it("concrete-bunker", () => {
    expect(summary("concrete-bunker.yaml")).toEqual([
      "error network-not-isolated services.deepseek-v32.networks",
      "error not-fully-resident services.deepseek-v32.expect.vram",
      "warning threads-exceed-vcpus services.qwen-executor.threads",
    ]);
  });

  it("leviathan", () => {
    expect(summary("leviathan.yaml")).toEqual([
      "error disk-by-unstable-name metal.disks.nvme.format",
      "error model-size-claim models.deepseek-v3.size",
      "error arch-not-compiled engines.leviathan.build.cudaArchitectures",
      "warning gguf-in-vllm services.leviathan.engine[1]",
      "error host-path-read-only services.leviathan.mounts[0].create",
    ]);
  });
});

describe("the corrected examples", () => {
  it.each(names.filter((name) => name.endsWith(".fixed.yaml")))("%s leaves nothing to say", (name) => {
    expect(adviceOn(name).map(formatDiagnostic)).toEqual([]);
  });

  it.each(["laptop.yaml", "workstation.yaml"])("%s has no error", (name) => {
    expect(
      adviceOn(name)
        .filter((d) => d.severity === "error")
        .map(formatDiagnostic),
    ).toEqual([]);
  });
});
