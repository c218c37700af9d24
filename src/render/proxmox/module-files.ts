import { moduleName, moduleOption } from "../escape/modprobe.ts";
import { hashComment } from "../escape/shell.ts";
import { fileHeader } from "./file-header.ts";
import type { ProxmoxHost } from "./proxmox-host.ts";

/** Drivers that would take a card, its sound or its USB function before vfio-pci; `softdep` makes them wait. */
const RIVALS = ["nvidia", "nouveau", "nvidiafb", "snd_hda_intel", "i2c_nvidia_gpu", "xhci_pci"] as const;
const GRAPHICS = ["nouveau", "nvidiafb", "nvidia"] as const;
const IDLE = "disable_idle_d3";

/** PCI ids that vfio-pci takes at boot, where the spec has them for every card; else the host is asked. */
export function typedIds({ cards }: ProxmoxHost): readonly string[] | undefined {
  const ids = cards.map(({ gpu }) => gpu.ids);
  return ids.length > 0 && ids.every((list) => list !== undefined && list.length > 0)
    ? [...new Set(ids.flatMap((list) => list ?? []))]
    : undefined;
}

/** The owner says elsewhere whether idle cards may sleep. */
const mentionsIdle = ({ host }: ProxmoxHost): boolean =>
  [...(host.boot?.arguments ?? []), ...Object.values(host.boot?.modules ?? {}).flat()].some((text) =>
    text.includes(IDLE),
  );

function early(parts: ProxmoxHost): readonly string[] {
  const ids = typedIds(parts);
  const all = Object.keys(parts.host.gpus ?? {}).length === parts.cards.length;
  return [
    ids === undefined
      ? hashComment(
          "The ids of the cards are not all in the spec and public lists have wrong ones, so apply.sh reads them from the machine into omni-vfio-ids.conf.",
        )
      : `options vfio-pci ids=${ids.join(",")}`,
    hashComment(
      "vfio-pci has to be there first; it takes the ids above, all other devices go their usual way.",
    ),
    ...RIVALS.map((rival) => `softdep ${rival} pre: vfio-pci`),
    ...(all
      ? [
          hashComment("Every card of this host leaves it, so nothing here needs a graphics driver."),
          ...GRAPHICS.map((driver) => `blacklist ${driver}`),
        ]
      : [hashComment("No driver is blacklisted: this host keeps cards of its own.")]),
  ];
}

/** /etc/modprobe.d/omni-vfio.conf, or nothing where it would say nothing. */
export function vfioOptions(parts: ProxmoxHost): string | undefined {
  const { bind } = parts;
  if (bind === undefined) return undefined;
  const idle = mentionsIdle(parts)
    ? []
    : [
        hashComment(
          "Cards held by vfio-pci stay awake: some do not come back from D3 (Blackwell among them).",
        ),
        `options vfio-pci ${IDLE}=1`,
      ];
  const lines = [...(bind === "early" ? early(parts) : []), ...idle];
  if (lines.length === 0) return undefined;
  const use =
    bind === "early"
      ? "vfio-pci takes the cards at boot."
      : "The cards stay with the host's driver until the switch script moves them, so no ids stand here.";
  const header = fileHeader(
    parts.deployment,
    `${use} apply.sh installs this as /etc/modprobe.d/omni-vfio.conf and rebuilds the initramfs; the next boot uses it.`,
  );
  return `${[header, ...lines].join("\n")}\n`;
}

/** /etc/modules-load.d/omni-vfio.conf. vfio_virqfd is no module of its own since kernel 6.2. */
export const vfioModules = ({ deployment }: ProxmoxHost): string =>
  `${[
    fileHeader(
      deployment,
      "Modules that passthrough needs, loaded at boot. apply.sh installs this as /etc/modules-load.d/omni-vfio.conf.",
    ),
    "vfio",
    "vfio_iommu_type1",
    "vfio_pci",
  ].join("\n")}\n`;

/** /etc/modprobe.d/omni-modules.conf: what the spec says about modules, or nothing. */
export function ownersModules({ host, deployment }: ProxmoxHost): string | undefined {
  const place = `machines.${host.name}.boot`;
  const options = Object.entries(host.boot?.modules ?? {}).flatMap(([name, list]) => {
    const module = moduleName(name, `${place}.modules.${name}`);
    const checked = list.map((option, index) => moduleOption(option, `${place}.modules.${name}.${index}`));
    return checked.length === 0 ? [] : [`options ${module} ${checked.join(" ")}`];
  });
  const blacklist = [...new Set(host.boot?.blacklist ?? [])].map(
    (name, index) => `blacklist ${moduleName(name, `${place}.blacklist.${index}`)}`,
  );
  if (options.length + blacklist.length === 0) return undefined;
  const header = fileHeader(
    deployment,
    "Options and blacklist of boot.modules and boot.blacklist. apply.sh installs this as /etc/modprobe.d/omni-modules.conf and rebuilds the initramfs.",
  );
  return `${[header, ...options, ...blacklist].join("\n")}\n`;
}
