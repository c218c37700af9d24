import { addCard } from "./graphics-card.ts";
import { emptyHost } from "./host-tree.ts";
import type { HostTree } from "./host-tree.ts";
import { HEALTHY, nvidiaSmi } from "./nvidia-smi-words.ts";
import type { SmiCard } from "./nvidia-smi-words.ts";

export const CARD = "card rtx5090 (0000:11:00.0)";

/** A workstation whose one card its own driver has. */
export const WORKSTATION_SPEC = `
omni: 1
name: desk
metal:
  gpus:
    rtx5090:
      model: RTX 5090
      uuid: GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601
      pci: "0000:11:00"
      link: { generation: 5, lanes: 16 }
      powerLimit: 600W
`;

/** Debian 13 on an Intel processor, all well. */
export function workstation(card: SmiCard = HEALTHY): HostTree {
  const tree = emptyHost();
  Object.assign(tree.files, {
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
    "proc/sys/kernel/osrelease": "6.12.48+deb13-amd64\n",
    "proc/cmdline": "BOOT_IMAGE=/boot/vmlinuz-6.12.48+deb13-amd64 root=UUID=0a1b ro quiet\n",
    "proc/stat": "cpu  0 0 0 0\nbtime 1767100000\n",
    "proc/cpuinfo":
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i7-14700K\nflags\t\t: fpu sse vmx avx2\n\n",
    "proc/meminfo": `MemTotal: ${64 * 2 ** 20} kB\nMemAvailable: ${60 * 2 ** 20} kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n`,
    "boot/vmlinuz-6.12.48+deb13-amd64": "",
    "sys/class/iommu/dmar0/intel-iommu/cap": "0\n",
  });
  Object.assign(tree.commands, {
    "timedatectl show --property=NTPSynchronized --value": "yes\n",
    journalctl: { code: 1 },
    "nvidia-smi": nvidiaSmi(card),
  });
  addCard(tree, { slot: "0000:11:00", id: "10de:2b85", group: 12, driver: "nvidia" });
  return tree;
}
