import { readText } from "../../../inventory/cgroup.ts";
import { readGrubDefaults } from "./grub-defaults.ts";
import { parseArguments } from "./kernel-arguments.ts";
import { oncePerView } from "./once-per-view.ts";

/** A boot line that a loader of the host is configured with. */
export interface BootLine {
  readonly loader: "grub" | "systemd-boot";
  /** Where it is written down. */
  readonly file: string;
  /** Its words; absent where the file cannot be understood. */
  readonly words?: readonly string[];
  /** The text that is not understood. */
  readonly text?: string;
}

/**
 * The boot lines for the next boot, one for each loader that starts this host: what proxmox-boot-tool says, else what
 * files there are. Empty where neither tells. Source: Proxmox VE, host bootloader.
 */
export const configuredBootLines = oncePerView(async (view): Promise<readonly BootLine[]> => {
  const status = await view.said(["proxmox-boot-tool", "status"]);
  const told = status.ended ? `${status.stdout}\n${status.stderr}` : "";
  const configured = [...told.matchAll(/configured with:(.*)$/gm)].map(([, list = ""]) => list).join(" ");
  const loaders = {
    grub: /\bgrub\b/.test(configured),
    "systemd-boot": /\buefi\b/.test(configured),
  };
  const managed = loaders.grub || loaders["systemd-boot"];
  const grub = managed && !loaders.grub ? undefined : grubLine(view.root);
  const other = managed ? loaders["systemd-boot"] : grub === undefined;
  const line = other ? readText(`${view.root}etc/kernel/cmdline`).trim() : "";
  return [
    ...(grub === undefined ? [] : [grub]),
    ...(line === ""
      ? []
      : [{ loader: "systemd-boot" as const, file: "/etc/kernel/cmdline", words: parseArguments(line) }]),
  ];
});

function grubLine(root: string): BootLine | undefined {
  const line = readGrubDefaults(root);
  if (line === undefined) return undefined;
  return line.understood
    ? { loader: "grub", file: "/etc/default/grub", words: line.words }
    : { loader: "grub", file: line.file, text: line.text };
}
