import { GIB, MIB } from "../../core/index.ts";
import type { HostedVm, ProxmoxHost, Vm } from "./proxmox-host.ts";

/** Pages that the kernel sets aside at boot. */
export interface Reservation {
  /** As the kernel writes it. */
  readonly size: "2M" | "1G";
  readonly count: number;
}

export const PAGE_BYTES = { "2M": 2 * MIB, "1G": GIB } as const;

/**
 * Page size that a VM's memory is backed by: what is typed, and for `any` 1 GiB where memory and NUMA nodes are whole
 * GiB, else 2 MiB. Source: PVE::QemuServer::Memory hugepages_size.
 */
export function pageOf(vm: Vm): Reservation["size"] | undefined {
  if (vm.hugepages === undefined) return undefined;
  if (vm.hugepages !== "any") return vm.hugepages === "1GiB" ? "1G" : "2M";
  const amounts = [vm.memory, ...(vm.numa ?? []).map(({ memory }) => memory)];
  return amounts.every((bytes) => bytes % GIB === 0) ? "1G" : "2M";
}

function ofVms(vms: readonly HostedVm[]): readonly Reservation[] {
  return (["1G", "2M"] as const).flatMap((size) => {
    const count = vms
      .filter(({ vm }) => pageOf(vm) === size)
      .reduce((pages, { vm }) => pages + Math.ceil(vm.memory / PAGE_BYTES[size]), 0);
    return count === 0 ? [] : [{ size, count }];
  });
}

/** What the boot line reserves: the host's own figure where the spec has one, else what all its VMs need together. */
export function hugepageReservations({ host, vms }: ProxmoxHost): readonly Reservation[] {
  const typed = host.memory?.hugepages;
  if (typed === undefined) return ofVms(vms);
  return [{ size: typed.size === "1GiB" ? "1G" : "2M", count: typed.count }];
}

/** Pages that the VMs need and the host does not reserve; empty where they suffice or pages of that size are not reserved by Omni. */
export function missingPages(
  host: ProxmoxHost,
): readonly { readonly need: Reservation; readonly have: number }[] {
  const reserved = hugepageReservations(host);
  return ofVms(host.vms).flatMap((need) => {
    const have = reserved.find(({ size }) => size === need.size)?.count ?? 0;
    return have < need.count ? [{ need, have }] : [];
  });
}
