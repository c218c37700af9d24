import { grubAppend } from "../escape/grub.ts";
import { kernelArgument } from "../escape/kernel-arguments.ts";
import { hashComment } from "../escape/shell.ts";
import { fileHeader } from "./file-header.ts";
import { hugepageReservations, reservesByItself, typedPages } from "./hugepages.ts";
import type { ProxmoxHost } from "./proxmox-host.ts";

/** Arguments that only make sense next to each other, and why they are there where that is not obvious. */
export interface BootGroup {
  readonly words: readonly string[];
  readonly why?: string;
}

const WHY: ReadonlyMap<string, string> = new Map([
  [
    "amd_iommu=on",
    "As written in the spec, without effect: `on` is no value of it, and the AMD IOMMU is on by default (kernel-parameters.txt).",
  ],
  [
    "intel_iommu=on",
    "Needed on Intel up to kernel 6.7; without effect since 6.8, and on AMD (Proxmox, qm-pci-passthrough).",
  ],
  [
    "pcie_aspm=off",
    "As written in the spec; it does not switch power saving of the links off but leaves them as the firmware set them (kernel-parameters.txt). pcie_aspm.policy=performance does.",
  ],
  ["iommu=pt", "Devices of the host itself bypass translation; passed-through cards do not."],
  [
    "vfio_pci.disable_idle_d3=1",
    "Cards held by vfio-pci stay awake: some do not come back from D3 (Blackwell among them).",
  ],
]);

/** `hugepagesz=1G hugepages=300` is one setting: the count belongs to the size before it. */
function grouped(words: readonly string[]): readonly BootGroup[] {
  const groups: string[][] = [];
  for (const word of words) {
    const last = groups.at(-1);
    if (word.startsWith("hugepages=") && last?.length === 1 && last[0]?.startsWith("hugepagesz=") === true)
      last.push(word);
    else groups.push([word]);
  }
  const seen = new Set<string>();
  return groups.flatMap((group) => {
    const text = group.join(" ");
    if (seen.has(text)) return [];
    seen.add(text);
    const why = WHY.get(text);
    return [{ words: group, ...(why === undefined ? {} : { why }) }];
  });
}

function reservation(host: ProxmoxHost): readonly BootGroup[] {
  const wanted = hugepageReservations(host);
  const [first] = wanted;
  if (first === undefined || reservesByItself(host)) return [];
  const reason =
    host.host.memory?.hugepages === undefined ? "What the VMs need together" : "memory.hugepages of the spec";
  return [
    ...(typedPages(host).length > 0 ? [] : [{ words: [`default_hugepagesz=${first.size}`] }]),
    ...wanted.map(({ size, count }) => ({
      words: [`hugepagesz=${size}`, `hugepages=${count}`],
      why: `${reason}: set aside at boot, because later memory is in pieces smaller than ${size}.`,
    })),
  ];
}

/**
 * Arguments of the host's boot line in the order of the spec, then the reservation of hugepages unless the owner wrote
 * one. Throws `OmniError` `render.unrepresentable` for an argument that no boot line holds.
 */
export function bootGroups(host: ProxmoxHost): readonly BootGroup[] {
  const words = (host.host.boot?.arguments ?? []).flatMap((entry, index) =>
    entry
      .split(" ")
      .filter((word) => word !== "")
      .map((word) => kernelArgument(word, `machines.${host.host.name}.boot.arguments.${index}`)),
  );
  return [...grouped(words), ...reservation(host)];
}

const withReason = (group: BootGroup, line: string): readonly string[] => [
  ...(group.why === undefined ? [] : [hashComment(group.why)]),
  line,
];

/** /etc/default/grub.d/omni.cfg: the shell that runs grub-mkconfig sources it after /etc/default/grub. */
export const grubDropIn = (host: ProxmoxHost, groups: readonly BootGroup[]): string =>
  `${[
    fileHeader(
      host.deployment,
      "Boot line of a host that boots by GRUB. apply.sh installs it as /etc/default/grub.d/omni.cfg; update-grub reads it, the next boot uses it.",
    ),
    ...groups.flatMap((group) => withReason(group, grubAppend(group.words))),
  ].join("\n")}\n`;

/**
 * What apply.sh merges into the one line of /etc/kernel/cmdline. That line holds root= and more that only the host
 * knows, so it is never replaced.
 */
export const kernelCommandLine = (host: ProxmoxHost, groups: readonly BootGroup[]): string =>
  `${[
    fileHeader(
      host.deployment,
      "Boot line of a host that boots by systemd-boot. apply.sh merges these lines into /etc/kernel/cmdline, which is one line with root= and stays the host's; by hand: append them there, apart by spaces, and run proxmox-boot-tool refresh.",
    ),
    ...groups.flatMap((group) => withReason(group, group.words.join(" "))),
  ].join("\n")}\n`;
