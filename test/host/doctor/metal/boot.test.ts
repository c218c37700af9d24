import { test } from "vitest";
import { grubAppend } from "../../../../src/render/escape/grub.ts";
import {
  grubLine,
  RUNNING_LINE,
  THREADRIPPER_SPEC,
  threadripper,
  WORDS,
} from "../../../fakes/hosts/threadripper.ts";
import { edit } from "../../../fakes/hosts/host-tree.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import { changed, check } from "./situation.ts";
import type { Situation } from "./situation.ts";

const RESETS = [
  "cards.reset-method | card blackwell (0000:f1:00.0) | note",
  "cards.reset-method | card rtx5090 (0000:11:00.0) | note",
] as const;

const on = (change: (tree: HostTree) => void): (() => HostTree) => changed(threadripper, change);
const spec = THREADRIPPER_SPEC;
const withLine = (words: string): (() => HostTree) =>
  on(({ files }) => {
    files["proc/cmdline"] = RUNNING_LINE.replace(WORDS, words);
    files["etc/default/grub"] = grubLine(words);
  });

const SITUATIONS: readonly Situation[] = [
  { name: "all is as the spec wants it", spec, host: threadripper, faults: RESETS },
  {
    name: "amd_iommu=on, which is no value",
    spec,
    host: withLine(`amd_iommu=on ${WORDS}`),
    faults: ["boot.meaning | amd_iommu=on | note", ...RESETS],
    says: {
      check: "boot.meaning",
      seen: "amd_iommu=on is on the boot line",
      why: "`on` is no value of amd_iommu: the kernel logs \"AMD-Vi: Unknown option - 'on'\", and the AMD IOMMU is on by default.",
      remedy: "Remove it; iommu=pt is the argument that has a meaning here.",
    },
  },
  {
    name: "intel_iommu=on on an AMD, and pcie_aspm=off",
    spec,
    host: withLine(`intel_iommu=on pcie_aspm=off ${WORDS}`),
    faults: ["boot.meaning | intel_iommu=on | note", "boot.meaning | pcie_aspm=off | warning", ...RESETS],
  },
  {
    name: "the boot line is configured and nobody has rebooted",
    spec,
    host: on(({ files }) => {
      files["proc/cmdline"] = RUNNING_LINE.replace(WORDS, "iommu=pt");
    }),
    faults: ["boot.line-in-effect | error", ...RESETS],
    says: {
      check: "boot.line-in-effect",
      seen: "/proc/cmdline is without pcie_aspm.policy=performance default_hugepagesz=1G hugepagesz=1G hugepages=300",
      why: "They are configured for the next boot and not in effect yet.",
      remedy: "Reboot the host.",
    },
  },
  {
    name: "the boot line was typed at the boot menu and is lost at the next boot",
    spec,
    host: on(({ files }) => {
      files["etc/default/grub"] = grubLine("iommu=pt");
    }),
    faults: ["boot.line-configured | grub | error", ...RESETS],
    says: {
      check: "boot.line-configured",
      seen: "/etc/default/grub is without pcie_aspm.policy=performance default_hugepagesz=1G hugepagesz=1G hugepages=300",
      why: "They are in effect now and are lost at the next boot.",
      remedy: "./omni apply --to metal   # writes the boot line; then reboot",
    },
  },
  {
    name: "the boot line stands in a file of grub.d, as apply writes it",
    spec,
    host: on(({ files }) => {
      files["etc/default/grub"] = grubLine("").replace("quiet ", "quiet");
      files["etc/default/grub.d/omni.cfg"] = `# by Omni\n${grubAppend(WORDS.split(" "))}\n`;
    }),
    faults: RESETS,
  },
  {
    name: "GRUB's file asks a program for the line",
    spec,
    host: on(({ files }) => {
      files["etc/default/grub"] = 'GRUB_CMDLINE_LINUX_DEFAULT="$(cat /etc/line)"\n';
    }),
    faults: ["boot.line-configured | grub | unknown", ...RESETS],
    says: {
      check: "boot.line-configured",
      seen: '/etc/default/grub says GRUB_CMDLINE_LINUX_DEFAULT="$(cat /etc/line)", which only a shell understands',
    },
  },
  {
    name: "systemd-boot starts the host, and its line was forgotten",
    spec,
    host: on(({ files, commands }) => {
      commands["proxmox-boot-tool status"] =
        "System currently booted with uefi\n1A2B-3C4D is configured with: uefi (versions: 6.17.2-1-pve)\n";
      files["etc/kernel/cmdline"] = "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n";
    }),
    faults: ["boot.line-configured | systemd-boot | error", ...RESETS],
    says: {
      check: "boot.line-configured",
      subject: "systemd-boot",
      seen: `/etc/kernel/cmdline is without ${WORDS}`,
    },
  },
  {
    name: "a parameter that vfio-pci does not have",
    spec,
    host: withLine(`vfio-pci.disable_idle_d4=1 ${WORDS}`),
    faults: ["boot.meaning | vfio-pci.disable_idle_d4=1 | warning", ...RESETS],
    says: {
      check: "boot.meaning",
      seen: "the module vfio_pci has no parameter disable_idle_d4",
      wanted: "vfio_pci.disable_idle_d3",
    },
  },
  {
    name: "two values of one parameter, and pages counted twice",
    spec,
    host: withLine(`hugepagesz=1G hugepages=8 ${WORDS} pcie_aspm.policy=powersave`),
    faults: [
      "boot.meaning | pcie_aspm.policy | warning",
      "boot.meaning | hugepages of 1G | warning",
      ...RESETS,
    ],
    says: {
      check: "boot.meaning",
      seen: "the boot line counts pages of 1G 2 times: 8, 300",
      why: "The kernel takes the first, 8, and ignores the others.",
    },
  },
  {
    name: "a kernel newer than the pin, which was lifted",
    spec,
    host: on(({ files }) => {
      files["proc/sys/kernel/osrelease"] = "6.17.4-2-pve\n";
      files["boot/vmlinuz-6.17.4-2-pve"] = "";
      delete files["etc/kernel/proxmox-boot-pin"];
    }),
    faults: ["system.kernel | warning", "system.next-kernel | warning", ...RESETS],
    says: {
      check: "system.next-kernel",
      seen: "kernel 6.17.4-2-pve, the newest in /boot; nothing is pinned",
      wanted: "6.17.2-1-pve",
    },
  },
  {
    name: "the pin is set and nobody has rebooted; packages ask for it too",
    spec,
    host: on(({ files }) => {
      files["proc/sys/kernel/osrelease"] = "6.17.1-1-pve\n";
      files["run/reboot-required"] = "*** System restart required ***\n";
      files["run/reboot-required.pkgs"] = "proxmox-kernel-6.17\n";
    }),
    faults: ["system.kernel | warning", "system.pending-reboot | note", ...RESETS],
    says: {
      check: "system.pending-reboot",
      seen: "kernel 6.17.1-1-pve runs and 6.17.2-1-pve is next; packages ask for a reboot: proxmox-kernel-6.17",
    },
  },
  {
    name: "the pinned kernel was removed",
    spec,
    host: on(({ files }) => {
      delete files["boot/vmlinuz-6.17.2-1-pve"];
    }),
    faults: ["system.next-kernel | error", ...RESETS],
    says: {
      check: "system.next-kernel",
      seen: "kernel 6.17.2-1-pve, pinned, and /boot/vmlinuz-6.17.2-1-pve is not there",
    },
  },
  {
    name: "Proxmox VE 9 on a pinned 6.8",
    spec: spec.replace("6.17.2-1-pve", "6.8.12-13-pve"),
    host: on(({ files }) => {
      files["proc/sys/kernel/osrelease"] = "6.8.12-13-pve\n";
      files["boot/vmlinuz-6.8.12-13-pve"] = "";
      files["etc/kernel/proxmox-boot-pin"] = "6.8.12-13-pve\n";
    }),
    faults: ["system.kernel | Proxmox VE 9.1.1 | note", ...RESETS],
  },
  {
    name: "Proxmox VE 8 where the spec says 9, with a clock that nobody sets",
    spec,
    host: on(({ commands }) => {
      commands["pveversion"] = "pve-manager/8.4.14/b502d23c55afcba1 (running kernel: 6.17.2-1-pve)\n";
      commands["timedatectl show --property=NTPSynchronized --value"] = "no\n";
    }),
    faults: ["system.platform | warning", "system.clock | warning", ...RESETS],
    says: { check: "system.platform", seen: "Proxmox VE 8.4.14", wanted: "release 9" },
  },
  {
    name: "disable_idle_d3 is configured, and the initramfs is older than that",
    spec,
    host: on(({ files, commands }) => {
      files["sys/module/vfio_pci/parameters/disable_idle_d3"] = "N\n";
      commands["stat"] = (args) =>
        args
          .slice(4)
          .map((path) => `${path.startsWith("/boot/") ? 1_780_000_000 : 1_780_003_600} ${path}`)
          .join("\n");
    }),
    faults: ["boot.module-options | vfio_pci disable_idle_d3 | error", "boot.initramfs | warning", ...RESETS],
    says: {
      check: "boot.module-options",
      seen: "disable_idle_d3 is N; vfio_pci.disable_idle_d3=1 is configured and not in effect",
      remedy: "update-initramfs -u -k all   # then reboot",
    },
  },
  {
    name: "nouveau is loaded though it is blacklisted",
    spec,
    host: on(({ files }) => {
      files["sys/module/nouveau/refcnt"] = "0\n";
    }),
    faults: ["boot.blacklist | nouveau | warning", ...RESETS],
  },
  {
    name: "vfio-pci does not get the ids of one card, and its modules are not loaded at boot",
    spec,
    host: on((tree) => {
      edit(tree, "etc/modprobe.d/omni-vfio.conf", ",10de:2b85", "");
      delete tree.files["etc/modules-load.d/omni-vfio.conf"];
    }),
    faults: [
      "cards.early-binding | card rtx5090 (0000:11:00.0) | error",
      "cards.early-binding | modules | warning",
      ...RESETS,
    ],
    says: {
      check: "cards.early-binding",
      seen: "10de:2b85 is not among the ids of vfio-pci",
      wanted: "options vfio-pci ids=10de:2b85,10de:22e8",
    },
  },
];

test.each(SITUATIONS)("$name", (situation) => check(situation));
