import { readText } from "../../../inventory/cgroup.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { configuredBootLines, hostParts, missingGroups, parseArguments, platformOf } from "../facts/index.ts";
import type { BootLine } from "../facts/index.ts";

const ID = "boot.line-configured";

/** The line that the loader is configured with, beside the spec: what holds now and not here is lost at the next boot. */
export const configuredLine: Check = {
  id: ID,
  title: "Boot line of the next boot",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    const wanted = parts?.bootGroups.map(({ words }) => words) ?? [];
    if (parts === undefined || wanted.length === 0) return [];
    const lines = await configuredBootLines(subject.view);
    if (lines.length === 0) return [await notFound(subject, parts.host.name)];
    const running = parseArguments(readText(`${subject.view.root}proc/cmdline`));
    return [
      ...otherLoader(parts.host, lines),
      ...lines.map((line) => judge(line, wanted, running, parts.host.name)),
    ];
  },
};

async function notFound({ view }: DoctorSubject, host: string): Promise<Finding> {
  const talos = (await platformOf(view))?.kind === "talos";
  return {
    check: ID,
    state: "unknown",
    seen: talos
      ? "Talos keeps its boot line in its image: talosctl read /proc/cmdline tells the one in effect"
      : "neither /etc/default/grub nor /etc/kernel/cmdline is there, so it is not known what the next boot is started with",
    path: `machines.${host}.boot`,
  };
}

function judge(
  { loader, file, words, text }: BootLine,
  wanted: readonly (readonly string[])[],
  running: readonly string[],
  host: string,
): Finding {
  const path = `machines.${host}.boot.arguments`;
  if (words === undefined)
    return {
      check: ID,
      subject: loader,
      state: "unknown",
      seen: `${file} says ${text ?? ""}, which only a shell understands`,
      remedy: "Write one plain assignment there, or look by hand: grep -m1 linux /boot/grub/grub.cfg",
      path,
    };
  const missing = missingGroups(wanted, words);
  if (missing.length === 0) return { check: ID, subject: loader, state: "ok", seen: words.join(" "), path };
  const lost = missingGroups(wanted, running).length === 0;
  return {
    check: ID,
    subject: loader,
    state: "error",
    seen: `${file} is without ${missing.join(" ")}`,
    wanted: wanted.flat().join(" "),
    why: lost
      ? "They are in effect now and are lost at the next boot."
      : "The next boot is started without them as well.",
    remedy: "./omni apply --to metal   # writes the boot line; then reboot",
    path,
    source: "Proxmox VE, host bootloader: editing the kernel command line",
  };
}

function otherLoader(
  {
    name,
    boot,
  }: { readonly name: string; readonly boot?: { readonly loader?: string | undefined } | undefined },
  lines: readonly BootLine[],
): readonly Finding[] {
  const typed = boot?.loader ?? "auto";
  if (typed === "auto" || lines.some(({ loader }) => loader === typed)) return [];
  const found = lines.map(({ loader }) => loader).join(" and ");
  return [
    {
      check: ID,
      subject: "loader",
      state: "error",
      seen: `this host is started by ${found}`,
      wanted: typed,
      why: "A boot line for another loader is never read.",
      remedy: "Write boot.loader: auto in omni.yaml.",
      path: `machines.${name}.boot.loader`,
      source: "proxmox-boot-tool status",
    },
  ];
}
