import { describe, expect, it } from "vitest";
import { talosBoot } from "../../catalog/index.ts";
import { talosContract } from "./talos-contract.ts";

describe("the contract of a Talos version", () => {
  it.each([
    [
      "1.9.5",
      { userVolumes: false, installerPerPlatform: false, factoryTalosctl: false, registryDocuments: false },
    ],
    ["1.10.0", { userVolumes: true, volumeTypes: false, installerPerPlatform: true, factoryTalosctl: false }],
    [
      "v1.11.3",
      { factoryTalosctl: true, grubUsesImageCmdline: false, hostnameDocument: false, configVersion: "v1.11" },
    ],
    [
      "1.12.1",
      { registryDocuments: true, volumeTypes: true, grubUsesImageCmdline: true, flannelPolicies: false },
    ],
    [
      "1.13.0",
      {
        flannelPolicies: true,
        configVersion: "v1.13",
        drivers: { lts: "580.178.04", production: "595.91.07" },
      },
    ],
    ["1.14.2", { flannelPolicies: true, configVersion: "v1.13", line: "1.14" }],
    ["2.0.0", { userVolumes: true, configVersion: "v1.13" }],
    ["latest", { userVolumes: true, flannelPolicies: true }],
  ])("%s", (version, expected) => {
    expect(talosContract(version)).toMatchObject(expected);
  });

  it.each([
    ["1.12.1", "570.195.03"],
    ["1.12.10", "570.195.03"],
    ["1.12.11", "570.211.01"],
    ["1.12.0", undefined],
    ["1.8.0", undefined],
  ])("knows the driver of -production at %s: %s", (version, driver) => {
    expect(talosContract(version).drivers?.production).toBe(driver);
  });

  it.each([
    ["1.11.0", "grub", true],
    ["1.11.0", "systemd-boot", false],
    ["1.11.0", "unknown", false],
    ["1.12.0", "grub", false],
  ] as const)("honours extraKernelArgs at %s under %s: %s", (version, boot, honoured) => {
    expect(talosContract(version).honoursExtraKernelArgs(boot)).toBe(honoured);
  });

  it.each([
    [{ talos: { version: "1.12.1" } }, "unknown"],
    [{ talos: { version: "1.9.0" } }, "grub"],
    [{ talos: { version: "1.12.1", secureBoot: true } }, "systemd-boot"],
    [{ talos: { version: "1.12.1", bootloader: "grub" as const } }, "grub"],
    [
      { talos: { version: "1.12.1" }, vm: { id: 1, cores: 1, memory: 1, firmware: "seabios" as const } },
      "grub",
    ],
    [{ talos: { version: "1.12.1" }, vm: { id: 1, cores: 1, memory: 1 } }, "systemd-boot"],
    [{}, "unknown"],
  ])("%j boots by %s", (guest, boot) => {
    expect(talosBoot(guest)).toBe(boot);
  });
});
