/**
 * Proxmox VE: what a host boots with, which cards it hands away, and the VMs on it, as files and scripts that its owner
 * can run without Omni. Never here: what runs inside a VM, and anything that a script would have to guess: it reads the
 * machine or refuses.
 */
import { OmniError } from "../../core/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import type { Artifact, Rendered, Target } from "../artifact.ts";
import { applyScript, scriptPath } from "./apply-script.ts";
import { bootGroups, grubDropIn, kernelCommandLine } from "./boot-line.ts";
import { renderGpuSwitch } from "./gpu-switch/index.ts";
import { homelessVms } from "./homeless-vms.ts";
import { hostDiagnostics } from "./host-diagnostics.ts";
import { kernelChoice } from "./kernel-choice.ts";
import { ownersModules, vfioModules, vfioOptions } from "./module-files.ts";
import { asksForSomething, proxmoxHosts } from "./proxmox-host.ts";
import type { ProxmoxHost } from "./proxmox-host.ts";
import { readme } from "./readme.ts";
import { vmConfig } from "./vm-config.ts";
import { vmScript } from "./vm-script.ts";

type Place = Pick<Artifact, "path" | "reason">;

const file = ({ path, reason }: Place, content: string | undefined): Artifact[] =>
  content === undefined ? [] : [{ path, content, mode: 0o644, reason }];

/** Files that the apply script installs at the same path of the host. */
function hostFiles(parts: ProxmoxHost): readonly Artifact[] {
  const { host, bind } = parts;
  const place = `machines.${host.name}`;
  const groups = bootGroups(parts);
  const loader = host.boot?.loader ?? "auto";
  const line = `Asked for by ${place}.boot and the hugepages of host and VMs: `;
  return [
    ...file(
      { path: "etc/default/grub.d/omni.cfg", reason: `${line}the boot line where GRUB starts the host.` },
      groups.length === 0 || loader === "systemd-boot" ? undefined : grubDropIn(parts, groups),
    ),
    ...file(
      {
        path: "etc/kernel/omni-cmdline",
        reason: `${line}merged into /etc/kernel/cmdline where systemd-boot starts the host.`,
      },
      groups.length === 0 || loader === "grub" ? undefined : kernelCommandLine(parts, groups),
    ),
    ...file(
      {
        path: "etc/modprobe.d/omni-modules.conf",
        reason: `Asked for by ${place}.boot.modules and ${place}.boot.blacklist.`,
      },
      ownersModules(parts),
    ),
    ...file(
      {
        path: "etc/modprobe.d/omni-vfio.conf",
        reason: `Asked for by ${place}.passthrough: how vfio-pci treats the cards.`,
      },
      vfioOptions(parts),
    ),
    ...file(
      {
        path: "etc/modules-load.d/omni-vfio.conf",
        reason: `Asked for by ${place}.passthrough: the modules that hand cards over.`,
      },
      bind === undefined ? undefined : vfioModules(parts),
    ),
  ];
}

function vmFiles(parts: ProxmoxHost): readonly Artifact[] {
  return parts.vms.flatMap((hosted) => {
    const { vm, guest } = hosted;
    const asked = `Asked for by guests.${guest.name}.vm:`;
    return [
      {
        path: `vm-${vm.id}.sh`,
        content: vmScript(hosted, parts),
        mode: 0o755,
        reason: `${asked} makes VM ${vm.id}, or brings it to the spec.`,
      },
      {
        path: `${vm.id}.conf`,
        content: vmConfig(hosted, parts),
        mode: 0o644,
        reason: `${asked} the configuration that the script leads to, for comparing.`,
      },
    ];
  });
}

/** Two VMs with one number would be one VM to Proxmox. Throws `OmniError` `render.vm-will-not-start`. */
function checkNumbers({ host, vms }: ProxmoxHost): void {
  const numbers = vms.map(({ vm }) => vm.id);
  const twice = numbers.find((id, index) => numbers.indexOf(id) !== index);
  if (twice === undefined) return;
  throw new OmniError("render.vm-will-not-start", `Two guests of ${host.name} have the VM id ${twice}.`, {
    hint: "Give each vm.id once.",
  });
}

function renderHost(parts: ProxmoxHost, deployment: Deployment): Rendered {
  checkNumbers(parts);
  const { host, bind } = parts;
  const kernel = kernelChoice(host, deployment);
  const files = hostFiles(parts);
  const switchScript: readonly Artifact[] =
    bind === undefined
      ? []
      : [
          {
            path: "omni-switch",
            content: renderGpuSwitch(host, deployment),
            mode: 0o755,
            reason: `Asked for by machines.${host.name}.passthrough: moves cards between host and guest; goes to ${scriptPath(host)}.`,
          },
        ];
  const apply: Artifact = {
    path: "apply.sh",
    content: applyScript(parts, {
      kernel,
      files: files.map(({ path }) => path),
      switchScript: switchScript.length > 0,
    }),
    mode: 0o755,
    reason: `Asked for by machines.${host.name} (platform proxmox): brings the host to the spec.`,
  };
  const artifacts = [apply, ...vmFiles(parts), ...switchScript, ...files].map((artifact) => ({
    ...artifact,
    path: `proxmox/${host.name}/${artifact.path}`,
  }));
  const guide: Artifact = {
    path: `proxmox/${host.name}/README.md`,
    content: readme(parts, kernel, artifacts),
    mode: 0o644,
    reason: `Asked for by machines.${host.name} (platform proxmox): the order of the steps.`,
  };
  return { artifacts: [guide, ...artifacts], diagnostics: hostDiagnostics(parts, kernel) };
}

export const proxmox: Target = {
  name: "proxmox",
  about: "Proxmox VE hosts: boot line, kernel, modules, GPU switch script and virtual machines.",
  wanted: (deployment) =>
    proxmoxHosts(deployment).some(asksForSomething) || homelessVms(deployment).length > 0,
  render: (deployment) => {
    const hosts = proxmoxHosts(deployment);
    const rendered = hosts.filter(asksForSomething).map((parts) => renderHost(parts, deployment));
    return {
      artifacts: rendered.flatMap(({ artifacts }) => artifacts),
      diagnostics: [
        ...rendered.flatMap(({ diagnostics }) => diagnostics),
        ...homelessVms(deployment),
        ...hosts
          .filter((parts) => !asksForSomething(parts))
          .map(({ host }) => ({
            code: "render.not-applicable" as const,
            severity: "note" as const,
            path: `machines.${host.name}`,
            message: `${host.name} runs Proxmox, and the spec says nothing about its boot line, kernel, passed cards or VMs, so there is nothing to render for it.`,
            hint: `guests.NAME.vm, or machines.${host.name}.boot`,
          })),
      ],
    };
  },
};
