import { codeSpan, markdownText } from "../escape/markdown.ts";
import type { Artifact } from "../artifact.ts";
import { scriptPath } from "./apply-script.ts";
import { HEADER_MARK } from "./file-header.ts";
import type { KernelChoice } from "./kernel-choice.ts";
import type { ProxmoxHost } from "./proxmox-host.ts";
import { vmFaults } from "./vm-faults.ts";
import { installerName } from "./vm-script.ts";

/** Commands as a block that Markdown shows as they are. */
const block = (...lines: readonly string[]): string => ["\n", "```sh", ...lines, "```"].join("\n    ");

function vmSteps({ vms }: ProxmoxHost): readonly string[] {
  return vms.flatMap(({ vm, guest, name }) => [
    ...(guest.talos === undefined
      ? []
      : [
          `Put the Talos ISO where Proxmox looks for it, as ${codeSpan(`/var/lib/vz/template/iso/${installerName(guest.talos.version)}`)}. Its address is TALOS_ISO in ${codeSpan(`talos/${guest.name}/images.env`)}. Only needed where the VM is new.`,
        ]),
    `Make VM ${vm.id} (${codeSpan(name)}), or bring it to the spec:${block(`./vm-${vm.id}.sh --dry-run`, `./vm-${vm.id}.sh`)}`,
    `Start it: ${codeSpan(`./vm-${vm.id}.sh --start`)}. With much memory and passed cards this takes minutes. Start it once and leave it running: Blackwell cards may hang when a VM is stopped and started again, and only a power cycle brings them back.`,
  ]);
}

/** Proxmox binds the cards of a VM that it starts by itself, without any of the switch script's checks. */
function startsItself({ vms }: ProxmoxHost): string {
  const ids = vms
    .filter(({ vm }) => vm.onBoot !== false && Object.keys(vm.hostpci ?? {}).length > 0)
    .map(({ vm }) => vm.id);
  return ids.length === 0
    ? ""
    : ` VM ${ids.join(" and ")} starts with the host (onBoot), and then Proxmox takes the cards from the host's driver by itself, without the script's checks: write \`onBoot: false\` to run the script first, or \`passthrough.bind: early\`.`;
}

function steps(parts: ProxmoxHost, kernel: KernelChoice | undefined): readonly string[] {
  const { host, bind } = parts;
  const login = host.ssh ?? `root@${host.address ?? host.name}`;
  const [, target = login, port] = /^([^:]*):(\d+)$/.exec(login) ?? [];
  return [
    `Copy this folder to the host: ${codeSpan(`scp${port === undefined ? "" : ` -P ${port}`} -r . ${target}:omni`)}`,
    `See what would change, then change it:${block("cd ~/omni && ./apply.sh --dry-run", "./apply.sh")}`,
    ...(kernel?.refused === undefined
      ? []
      : [
          "`apply.sh` refuses, because the kernel in the spec contradicts itself. Correct `kernel:` and render again, or leave the kernel as it is with `--skip kernel`.",
        ]),
    "Reboot the host. Boot line and modules count from then on; `apply.sh` never reboots.",
    ...(bind === "switch"
      ? [
          `Hand the cards to vfio-pci, after every boot, because nothing of it lasts: ${codeSpan(`${scriptPath(host)} --dry-run to-vfio`)}, then the same without --dry-run.${startsItself(parts)}`,
        ]
      : []),
    ...(bind === "early"
      ? [
          `Look whether vfio-pci has the cards: ${codeSpan("lspci -nnk -d 10de:")}, each with "Kernel driver in use: vfio-pci".`,
        ]
      : []),
    ...vmSteps(parts),
  ];
}

/** The order of the steps on one host, for the owner who stands before it. */
export function readme(
  parts: ProxmoxHost,
  kernel: KernelChoice | undefined,
  files: readonly Artifact[],
): string {
  const folder = `proxmox/${parts.host.name}/`;
  const faults = parts.vms.flatMap((hosted) =>
    vmFaults(hosted, parts).map(({ message }) => `- VM ${hosted.vm.id}: ${message}`),
  );
  return `${[
    `<!-- ${HEADER_MARK} from omni.yaml (${markdownText(parts.deployment).replaceAll("--", "- -")}). Change the spec and render again, not this file. -->`,
    `# Proxmox host ${parts.host.name}`,
    "",
    "Everything here runs on the host itself and needs nothing but Proxmox VE. Each script says with `--help` what it does, changes only what differs, keeps copies in `/var/backups/omni`, and can be run again after a failure.",
    "",
    ...steps(parts, kernel).map((text, index) => `${index + 1}. ${text}`),
    "",
    ...(faults.length === 0
      ? []
      : ["Proxmox will not start these VMs as the spec writes them; `--start` refuses:", "", ...faults, ""]),
    "| file | why |",
    "|---|---|",
    ...files.map(({ path, reason }) => `| ${codeSpan(path.slice(folder.length))} | ${reason} |`),
  ].join("\n")}\n`;
}
