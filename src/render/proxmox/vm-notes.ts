import { HEADER_MARK } from "./file-header.ts";
import type { HostedVm, ProxmoxHost } from "./proxmox-host.ts";

/** The notes that Proxmox shows beside a VM: whose it is and where to change it. */
export const vmNotes = ({ guest, vm }: HostedVm, { deployment, host }: ProxmoxHost): string =>
  `${HEADER_MARK} from omni.yaml (${deployment}): guest ${guest.name} on ${host.name}. Change the spec, render again and run vm-${vm.id}.sh.`;
