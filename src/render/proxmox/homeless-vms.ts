import type { Diagnostic } from "../../core/index.ts";
import type { Deployment } from "../../deployment/index.ts";
import { proxmoxHosts } from "./proxmox-host.ts";

/** VMs that no Proxmox host carries, as findings: nothing is rendered for them, and that is said. */
export function homelessVms(deployment: Deployment): readonly Diagnostic[] {
  const hosts = proxmoxHosts(deployment);
  const carried = new Set(hosts.flatMap(({ vms }) => vms.map(({ guest }) => guest)));
  return deployment.guests
    .filter((guest) => guest.vm !== undefined && !carried.has(guest))
    .map((guest): Diagnostic => {
      const names = hosts.map(({ host }) => host.name).join(", ");
      const place = `guests.${guest.name}`;
      if (guest.machine === undefined && hosts.length > 1)
        return {
          code: "render.needs-value",
          severity: "error",
          path: `${place}.machine`,
          message: `VM ${guest.vm?.id ?? ""} could be on any of ${names}, so nothing is rendered for it.`,
          hint: `machine: ${hosts[0]?.host.name ?? ""}`,
        };
      return {
        code: "render.not-applicable",
        severity: "warning",
        path: `${place}.vm`,
        message: `VM ${guest.vm?.id ?? ""} has no machine that runs Proxmox${guest.machine === undefined ? "" : ` (${guest.machine} does not)`}, so nothing is rendered for it.`,
        hint: "platform: proxmox under the machine that carries it",
      };
    });
}
