import { describe, expect, it } from "vitest";
import type { Code } from "../../src/core/index.ts";
import { adviceOf } from "./advise-text.ts";

/** A rule, a spec that it finds something in, where and how it says so, and a spec as near that it must leave alone. */
interface Case {
  readonly code: Code;
  readonly title: string;
  readonly found: string;
  readonly at: string;
  readonly says: readonly string[];
  readonly severity?: "error" | "warning" | "note";
  readonly nearMiss: string;
}

const CARDS = "metal: { gpus: { big: RTX 5090, old: RTX 3090 } }\n";
const TALOS = (rest: string, version = "1.12.1"): string =>
  `guest: { talos: { version: "${version}", ${rest} } }\n`;
const VM = (rest: string): string => `${CARDS}guest: { vm: { id: 105, cores: 8, ${rest} } }\n`;
const OPEN = "siderolabs/nvidia-open-gpu-kernel-modules";
const NONFREE = "siderolabs/nonfree-kmod-nvidia";
const TOOLKIT = "siderolabs/nvidia-container-toolkit";
const HANDS_OVER = (card: string, talos: string): string =>
  `${CARDS}guest: { vm: { id: 105, cores: 8, memory: 8GiB, hostpci: { hostpci0: ${card} } }, talos: { version: "1.12.1", ${talos} } }\n`;

const CASES: readonly Case[] = [
  {
    code: "gpu-needs-open-modules",
    title: "proprietary modules for a Blackwell card that is handed through",
    found: HANDS_OVER("big", `extensions: [${NONFREE}-production, ${TOOLKIT}-production]`),
    at: "guest.talos.extensions[0]",
    says: ["big (RTX 5090, 12.0)", "only supported by the open kernel modules", "No devices found"],
    nearMiss: HANDS_OVER("old", `extensions: [${NONFREE}-production, ${TOOLKIT}-production]`),
  },
  {
    code: "gpu-needs-open-modules",
    title: "the proprietary flavour on the host",
    found: "metal: { gpus: { big: RTX PRO 6000 }, driver: { flavour: proprietary } }\n",
    at: "metal.driver.flavour",
    says: ["RTX PRO 6000 Blackwell, 12.0"],
    nearMiss: "metal: { gpus: { big: RTX 4090 }, driver: { flavour: proprietary } }\n",
  },
  {
    code: "module-flavour-mismatch",
    title: "modules and toolkit of two branches",
    found: TALOS(`extensions: [${TOOLKIT}-production, ${OPEN}-lts]`),
    at: "guest.talos.extensions[1]",
    says: ["lts branch", "production branch", "580", "570"],
    nearMiss: TALOS(`extensions: [${TOOLKIT}, ${OPEN}-lts]`),
  },
  {
    code: "module-flavour-mismatch",
    title: "modules and toolkit of two branches of a later Talos",
    found: TALOS(`extensions: [${TOOLKIT}-lts, ${OPEN}-production]`, "1.13.4"),
    at: "guest.talos.extensions[1]",
    says: ["on Talos 1.13.4 that is driver 595 beside 580"],
    nearMiss: TALOS(`extensions: [${TOOLKIT}-production, ${OPEN}-production]`, "1.13.4"),
  },
  {
    code: "module-flavour-mismatch",
    title: "both sorts of modules",
    found: TALOS(`extensions: [${OPEN}-lts, ${NONFREE}-lts]`),
    at: "guest.talos.extensions[1]",
    says: ["nvidia-open-gpu-kernel-modules-lts and nonfree-kmod-nvidia-lts"],
    nearMiss: TALOS(`extensions: [${OPEN}-lts, siderolabs/amd-ucode]`),
  },
  {
    code: "talos-kernel-args-ignored",
    title: "arguments in the machine config under systemd-boot",
    found: `${CARDS}guest: { vm: { id: 105, cores: 8, memory: 8GiB }, talos: { version: "1.12.1", kernelArguments: { by: machine-config, arguments: [quiet] } } }\n`,
    at: "guest.talos.kernelArguments.by",
    says: ["quiet in the machine config", "not supported when booting using SDBoot", "firmware: ovmf"],
    nearMiss: TALOS("kernelArguments: [quiet]"),
  },
  {
    code: "talos-kernel-args-ignored",
    title: "arguments in the machine config under GRUB of 1.12",
    found: `${CARDS}guest: { vm: { id: 105, cores: 8, memory: 8GiB, firmware: seabios }, talos: { version: "1.12.1", kernelArguments: { by: machine-config, arguments: [quiet] } } }\n`,
    at: "guest.talos.kernelArguments.by",
    says: ["can't be used together"],
    nearMiss: TALOS("kernelArguments: { by: machine-config, arguments: [] }"),
  },
  {
    code: "talos-kernel-args-ignored",
    title: "arguments in the machine config under GRUB of 1.11, which applies them late",
    found: TALOS("bootloader: grub, kernelArguments: { by: machine-config, arguments: [quiet] }", "1.11.5"),
    at: "guest.talos.kernelArguments.by",
    says: ["next install or upgrade only"],
    severity: "warning",
    nearMiss: TALOS("kernelArguments: { by: schematic, arguments: [quiet] }", "1.11.5"),
  },
  {
    code: "talos-module-parameter-on-cmdline",
    title: "a parameter of NVIDIA's module on the boot line",
    found: TALOS('kernelArguments: [quiet, "nvidia-drm.modeset=0 splash"]'),
    at: "guest.talos.kernelArguments.arguments[1]",
    says: ["nvidia_drm", "modeset=0"],
    severity: "warning",
    nearMiss: TALOS("kernelArguments: [net.ifnames=0, console=tty0]"),
  },
  {
    code: "talos-module-parameter-on-cmdline",
    title: "a parameter of a module that Talos is told to load",
    found: TALOS("modules: { br_netfilter: [] }, kernelArguments: [br-netfilter.x=1]"),
    at: "guest.talos.kernelArguments.arguments[0]",
    says: ["br_netfilter"],
    severity: "warning",
    nearMiss: TALOS("kernelArguments: [br-netfilter.x=1]"),
  },
  {
    code: "schematic-id-differs",
    title: "an id of other extensions",
    found: TALOS(
      "schematic: d58fba8495bf019d92030f7a24d2bbe8e942331625a6d87fcfd45db9a2b90b6d, extensions: [siderolabs/qemu-guest-agent]",
    ),
    at: "guest.talos.schematic",
    says: ["1 extension and 0 kernel arguments", "ce4c9805…", "d58fba84…", "another image"],
    nearMiss: TALOS(
      "schematic: ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515, extensions: [siderolabs/qemu-guest-agent]",
    ),
  },
  {
    code: "schematic-id-differs",
    title: "the id of the sorted list",
    found: TALOS(
      "schematic: 613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245, extensions: [siderolabs/util-linux-tools, siderolabs/iscsi-tools]",
    ),
    at: "guest.talos.schematic",
    says: ["the same extensions sorted"],
    // An argument that would need quotes: no id is guessed.
    nearMiss: TALOS(
      'schematic: 613e1592b2da41ae5e265e8789429f22e121aab91cb4deb6bc3c0b6262961245, kernelArguments: ["a b"]',
    ),
  },
  {
    code: "sysctl-not-string",
    title: "a sysctl as a number",
    found: TALOS("sysctls: { vm.nr_hugepages: 1024 }"),
    at: 'guest.talos.sysctls["vm.nr_hugepages"]',
    says: ["vm.nr_hugepages: 1024 is a number"],
    severity: "warning",
    nearMiss: TALOS('sysctls: { vm.nr_hugepages: "1024" }'),
  },
  {
    code: "amd-iommu-on-noop",
    title: "amd_iommu=on",
    found: "metal: { boot: { arguments: [iommu=pt, amd_iommu=on] } }\n",
    at: "metal.boot.arguments[1]",
    says: ["AMD-Vi: Unknown option"],
    severity: "warning",
    nearMiss: "metal: { boot: { arguments: [iommu=pt, amd_iommu=force_enable] } }\n",
  },
  {
    code: "pcie-aspm-off-noop",
    title: "pcie_aspm=off",
    found: 'metal: { boot: { arguments: ["quiet pcie_aspm=off"] } }\n',
    at: "metal.boot.arguments[0]",
    says: ["Don't touch ASPM configuration at all"],
    severity: "warning",
    nearMiss: "metal: { boot: { arguments: [pcie_aspm.policy=performance] } }\n",
  },
  {
    code: "kernel-pin-contradiction",
    title: "a package whose newest kernel is above the bound",
    found: 'metal: { kernel: { package: proxmox-kernel-6.8, atMost: "6.8.4" } }\n',
    at: "metal.kernel.atMost",
    says: ["installs 6.8.12", "newer than 6.8.4"],
    nearMiss: 'metal: { kernel: { package: proxmox-kernel-6.8, atMost: "6.8" } }\n',
  },
  {
    code: "kernel-pin-contradiction",
    title: "a pin above the bound",
    found: 'metal: { kernel: { pin: 6.14.8-2-pve, atMost: "6.8.12" } }\n',
    at: "metal.kernel.pin",
    says: ["6.14.8-2-pve is newer", "6.8.12"],
    nearMiss: 'metal: { kernel: { pin: 6.8.12-13-pve, atMost: "6.8.12" } }\n',
  },
  {
    code: "kernel-pin-contradiction",
    title: "a pin of a line that is not installed",
    found: "metal: { kernel: { pin: 6.8.12-13-pve, package: proxmox-kernel-6.14 } }\n",
    at: "metal.kernel.pin",
    says: ["proxmox-kernel-6.14 brings 6.14"],
    nearMiss: "metal: { kernel: { pin: 6.14.8-2-pve, package: proxmox-kernel-6.14 } }\n",
  },
  {
    code: "kernel-unexpected-for-pve",
    title: "kernel 6.8 under Proxmox VE 9",
    found: 'metal: { platform: proxmox, version: "9.1", kernel: { package: proxmox-kernel-6.8 } }\n',
    at: "metal.kernel.package",
    says: ["Proxmox VE 9.1 expects kernel 6.14 or newer", "6.8"],
    severity: "warning",
    nearMiss: 'metal: { platform: proxmox, version: "8.4", kernel: { package: proxmox-kernel-6.8 } }\n',
  },
  {
    code: "romfile-path",
    title: "a ROM by its whole path",
    found: "metal: { gpus: { big: { model: RTX 5090, romFile: /root/palit.rom } } }\n",
    at: "metal.gpus.big.romFile",
    says: ["/usr/share/kvm//root/palit.rom"],
    nearMiss: "metal: { gpus: { big: { model: RTX 5090, romFile: Palit.rom } } }\n",
  },
  {
    code: "romfile-path",
    title: "a name that ends its own option",
    found: VM('memory: 8GiB, hostpci: { hostpci0: { gpu: big, romFile: "a,b.rom" } }'),
    at: "guest.vm.hostpci.hostpci0.romFile",
    says: ["[^,;]+"],
    nearMiss: VM("memory: 8GiB, hostpci: { hostpci0: { gpu: big, romFile: roms/a.rom } }"),
  },
  {
    code: "hostpci-needs-q35",
    title: "PCI Express on i440fx",
    found: VM("memory: 8GiB, machine: pc-i440fx-9.2, hostpci: { hostpci0: big }"),
    at: "guest.vm.machine",
    says: ["hostpci0 (big)", "pc-i440fx-9.2 has only PCI"],
    // Omni writes q35 where the spec says nothing.
    nearMiss: VM("memory: 8GiB, hostpci: { hostpci0: big }"),
  },
  {
    code: "hostpci-needs-q35",
    title: "one of two cards as PCI Express",
    found: VM(
      "memory: 8GiB, machine: i440fx, hostpci: { hostpci0: { gpu: big, pcie: false }, hostpci1: old }",
    ),
    at: "guest.vm.machine",
    says: ["hostpci1 (old): "],
    nearMiss: VM("memory: 8GiB, machine: i440fx, hostpci: { hostpci0: { gpu: big, pcie: false } }"),
  },
  {
    code: "numa-memory-sum",
    title: "parts in GB that are no whole pages",
    found: VM(
      'memory: 300GB, hugepages: 1GiB, numa: [{ cpus: "0-1", memory: 75GB }, { cpus: "2-3", memory: 75GB }, { cpus: "4-5", memory: 75GB }, { cpus: "6-7", memory: 75GB }]',
    ),
    at: "guest.vm.numa",
    says: ["75GB + 75GB + 75GB + 75GB = 279.40 GiB", "69.85 × 1.00 GiB", "no multiple of 1 GiB pages"],
    nearMiss: VM(
      'memory: 300GiB, hugepages: 1GiB, numa: [{ cpus: "0-1", memory: 75GiB }, { cpus: "2-3", memory: 75GiB }, { cpus: "4-5", memory: 75GiB }, { cpus: "6-7", memory: 75GiB }]',
    ),
  },
  {
    code: "numa-memory-sum",
    title: "parts that do not make up the memory",
    found: VM('memory: 64GiB, numa: [{ cpus: "0-3", memory: 32GiB }, { cpus: "4-7", memory: 31GiB }]'),
    at: "guest.vm.numa",
    says: ["32GiB + 31GiB = 63.00 GiB", "the VM has 64.00 GiB, 1.00 GiB more"],
    nearMiss: VM('memory: 64GiB, numa: [{ cpus: "0-3", memory: 33GiB }, { cpus: "4-7", memory: 31GiB }]'),
  },
  {
    code: "numa-memory-sum",
    title: "memory of a VM without nodes that is no whole number of pages",
    found: VM("memory: 1025MiB, hugepages: 2MiB"),
    at: "guest.vm.memory",
    says: ["512.50 × 2.00 MiB", "no multiple of 2 MiB pages"],
    nearMiss: VM("memory: 1026MiB, hugepages: any"),
  },
  {
    code: "disk-by-unstable-name",
    title: "a disk to be formatted by its kernel name",
    found: "metal: { disks: { d: { device: /dev/sdb, format: if-blank, filesystem: ext4 } } }\n",
    at: "metal.disks.d.format",
    says: ["mkfs.ext4 on /dev/sdb", "refuses"],
    nearMiss: "metal: { disks: { d: { device: /dev/sdb, serial: S1, format: if-blank } } }\n",
  },
  {
    code: "disk-by-unstable-name",
    title: "a disk by its kernel name, not by its link",
    found: "metal: { disks: { d: { device: /dev/nvme1n1, format: if-blank } } }\n",
    at: "metal.disks.d.format",
    says: ["mkfs.xfs on /dev/nvme1n1"],
    nearMiss:
      "metal: { disks: { d: { device: /dev/disk/by-id/nvme-X, format: if-blank }, e: { device: /dev/sda } } }\n",
  },
];

const SERVED = "models: { m: ./m.gguf }\n";

describe("advice on metal and guests", () => {
  it.each(CASES)("$code: $title", ({ code, found, at, says, severity = "error" }) => {
    const [finding, ...others] = adviceOf(code, found + SERVED);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ path: at, severity });
    for (const text of says) expect(finding?.message).toContain(text);
    expect(finding?.hint).not.toBe("");
    expect(finding?.line).toBeGreaterThan(1);
  });

  it.each(CASES)("$code: not $title", ({ code, nearMiss }) => {
    expect(adviceOf(code, nearMiss + SERVED)).toEqual([]);
  });
});
