import { bootGroups } from "../../../render/proxmox/boot-line.ts";
import type { BootGroup } from "../../../render/proxmox/boot-line.ts";
import { proxmoxHosts } from "../../../render/proxmox/proxmox-host.ts";
import type { ProxmoxHost } from "../../../render/proxmox/proxmox-host.ts";
import type { DoctorSubject } from "../check.ts";

/** A host with what the deployment puts on it: virtual machines, cards that are handed over, words of its boot line. */
export interface HostParts extends ProxmoxHost {
  readonly bootGroups: readonly BootGroup[];
}

/** The host of the spec with its parts; `undefined` without a spec. A host that is no Proxmox has neither VMs nor passed cards. */
export function hostParts({ host, deployment }: DoctorSubject): HostParts | undefined {
  if (host === undefined || deployment === undefined) return undefined;
  const parts: ProxmoxHost = proxmoxHosts(deployment).find((each) => each.host.name === host.name) ?? {
    host,
    deployment: deployment.name,
    vms: [],
    cards: [],
    bind: undefined,
  };
  return { ...parts, bootGroups: bootGroups(parts) };
}
