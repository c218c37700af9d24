import { addCard } from "./graphics-card.ts";
import { addFunction, emptyHost, romImage } from "./host-tree.ts";
import type { HostTree } from "./host-tree.ts";

export const BIG = "0000:f1:00";
export const SMALL = "0000:11:00";
const KERNEL = "6.17.2-1-pve";

/** The spec of the Threadripper with its two cards and one VM, at rest. */
export const THREADRIPPER_SPEC = `
omni: 1
name: omni-prime
metal:
  platform: proxmox
  version: "9"
  cpu: { model: AMD Ryzen Threadripper PRO 9995WX, cores: 96, threads: 192, nodesPerSocket: NPS4 }
  memory: { size: 384GiB, channels: 8, hugepages: { size: 1GiB, count: 300 } }
  gpus:
    blackwell:
      model: RTX PRO 6000 Blackwell
      pci: "${BIG}"
      ids: ["10de:2bb1", "10de:22e8"]
      link: { generation: 5, lanes: 16 }
    rtx5090: { model: RTX 5090, pci: "${SMALL}", romFile: palit.rom }
  boot:
    arguments: [iommu=pt, pcie_aspm.policy=performance]
    modules: { vfio-pci: [disable_idle_d3=1] }
    blacklist: [nouveau]
  kernel: { pin: ${KERNEL} }
  passthrough: { bind: early, cards: [blackwell, rtx5090] }
guest:
  vm:
    id: 105
    cores: 96
    memory: 300GiB
    hugepages: 1GiB
    numa:
      - { cpus: "0-23", memory: 75GiB, hostNode: 0 }
      - { cpus: "24-47", memory: 75GiB, hostNode: 1 }
      - { cpus: "48-71", memory: 75GiB, hostNode: 2 }
      - { cpus: "72-95", memory: 75GiB, hostNode: 3 }
    hostpci: { hostpci0: blackwell, hostpci1: rtx5090 }
`;

export const WORDS =
  "iommu=pt pcie_aspm.policy=performance default_hugepagesz=1G hugepagesz=1G hugepages=300";
export const RUNNING_LINE = `BOOT_IMAGE=/boot/vmlinuz-${KERNEL} root=/dev/mapper/pve-root ro quiet ${WORDS}\n`;
export const grubLine = (words: string): string =>
  `GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet ${words}"\nGRUB_CMDLINE_LINUX=""\n`;

/** One section of `dmidecode --type 17`. */
export const memoryModule = (channel: number, size: string): string =>
  `Handle 0x00${channel}A, DMI type 17, 92 bytes
Memory Device
\tArray Handle: 0x0009
\tTotal Width: 80 bits
\tSize: ${size}
\tForm Factor: DIMM
\tLocator: DIMM ${channel}
\tBank Locator: P0 CHANNEL ${"ABCDEFGH"[channel] ?? ""}
\tType: DDR5
\tSpeed: 6400 MT/s
\tConfigured Memory Speed: 6400 MT/s
`;

/** Text as the programs of a Proxmox VE 9.1 print it. */
const PROGRAMS: HostTree["commands"] = {
  pveversion: `pve-manager/9.1.1/42db4a6cf33dac83 (running kernel: ${KERNEL})\n`,
  "proxmox-boot-tool status": `Re-executing '/usr/sbin/proxmox-boot-tool' in new private mount namespace..\nSystem currently booted with uefi\n1A2B-3C4D is configured with: grub (versions: ${KERNEL})\n`,
  "timedatectl show --property=NTPSynchronized --value": "yes\n",
  "qm status 105": "status: stopped\n",
  // The journal matches nothing.
  journalctl: { code: 1 },
  stat: (args) =>
    args
      .slice(4)
      .map((path) => `${path.startsWith("/boot/") ? 1_790_000_000 : 1_780_000_000} ${path}`)
      .join("\n"),
  "modinfo -p vfio_pci":
    "ids:Initial PCI IDs to add to the vfio driver (string)\nnointxmask:Disable support for PCI 2.3 style INTx masking. (bool)\ndisable_vga:Disable VGA resource access through vfio-pci (bool)\ndisable_idle_d3:Disable using the PCI D3 low power state for idle, unused devices (bool)\nenable_sriov:Enable support for SR-IOV configuration. (bool)\n",
  "dmidecode --type 17": Array.from({ length: 8 }, (_, channel) => memoryModule(channel, "48 GB")).join("\n"),
};

/** A Threadripper with Proxmox VE 9.1 that is as its spec wants it: both cards with vfio-pci, the VM stopped. */
export function threadripper(): HostTree {
  const tree = emptyHost();
  Object.assign(tree.commands, PROGRAMS);
  Object.assign(tree.files, systemFiles(), bootFiles());
  for (const node of [0, 1, 2, 3]) addNode(tree, node);
  tree.files["sys/class/iommu/ivhd0/amd-iommu/cap"] = "0\n";
  addFunction(tree, {
    address: "0000:c5:00.0",
    id: "1a03:2000",
    class: "030000",
    driver: "ast",
    files: { boot_vga: "1" },
  });
  addFunction(tree, { address: "0000:41:00.0", id: "144d:a80c", class: "010802", group: 41, driver: "nvme" });
  addCard(tree, { slot: BIG, id: "10de:2bb1", group: 30, driver: "vfio-pci" });
  addCard(tree, { slot: SMALL, id: "10de:2b85", group: 12, driver: "vfio-pci" });
  tree.bytes["usr/share/kvm/palit.rom"] = romImage("10de:2b85");
  return tree;
}

const systemFiles = (): HostTree["files"] => ({
  "proc/sys/kernel/hostname": "pve\n",
  "proc/sys/kernel/osrelease": `${KERNEL}\n`,
  "proc/cmdline": RUNNING_LINE,
  "proc/stat": "cpu  0 0 0 0\nbtime 1767100000\n",
  "proc/cpuinfo":
    "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD Ryzen Threadripper PRO 9995WX 96-Cores\nflags\t\t: fpu sse svm avx512f\n\n",
  "proc/interrupts": " 27:  0  IR-PCI-MSI-0000:f1:00.0  0-edge  vfio-msi\n",
  "proc/meminfo": `MemTotal: ${4 * 94 * 2 ** 20} kB\nMemAvailable: ${60 * 2 ** 20} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n`,
  "proc/buddyinfo": "",
  "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
  "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver": "amd-pstate-epp\n",
});

const bootFiles = (): HostTree["files"] => ({
  "etc/default/grub": grubLine(WORDS),
  "etc/kernel/proxmox-boot-pin": `${KERNEL}\n`,
  [`boot/vmlinuz-${KERNEL}`]: "",
  "boot/vmlinuz-6.17.1-1-pve": "",
  "etc/modprobe.d/omni-vfio.conf": [
    "options vfio-pci ids=10de:2bb1,10de:22e8,10de:2b85",
    ...["nvidia", "nouveau", "snd_hda_intel"].map((rival) => `softdep ${rival} pre: vfio-pci`),
    "blacklist nouveau",
    "options vfio-pci disable_idle_d3=1",
    "",
  ].join("\n"),
  "etc/modules-load.d/omni-vfio.conf":
    "# Modules that passthrough needs.\nvfio\nvfio_iommu_type1\nvfio_pci\n",
  "sys/module/vfio_pci/parameters/disable_idle_d3": "Y\n",
});

/** A quarter of the socket: 94 of 96 GiB that the kernel gives out, 75 pages of 1 GiB, all of them free. */
function addNode(tree: HostTree, id: number): void {
  const at = `sys/devices/system/node/node${id}`;
  tree.files[`${at}/cpulist`] = `${id * 24}-${id * 24 + 23},${96 + id * 24}-${96 + id * 24 + 23}\n`;
  tree.files[`${at}/meminfo`] =
    `Node ${id} MemTotal: ${94 * 2 ** 20} kB\nNode ${id} MemFree: ${16 * 2 ** 20} kB\n`;
  setPages(tree, id, 75, 75);
}

/** Pages of 1 GiB of a node. */
export function setPages(tree: HostTree, node: number, count: number, free: number): void {
  const at = `sys/devices/system/node/node${node}/hugepages/hugepages-1048576kB`;
  tree.files[`${at}/nr_hugepages`] = `${count}\n`;
  tree.files[`${at}/free_hugepages`] = `${free}\n`;
}
