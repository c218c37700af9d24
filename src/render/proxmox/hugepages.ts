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

/** Words of the spec's boot line that say how many pages are reserved; Omni then reserves none itself. */
export const typedPages = ({ host }: ProxmoxHost): readonly string[] =>
  (host.boot?.arguments ?? [])
    .flatMap((entry) => entry.split(" "))
    .filter((word) => /^(?:default_)?hugepages[z]?=/.test(word));

/** A count belongs to the size before it, and to 2 MiB pages before any. Source: kernel-parameters.txt, hugepages=. */
function ofBootLine(words: readonly string[]): readonly Reservation[] {
  let size: Reservation["size"] | undefined = "2M";
  const reserved: Reservation[] = [];
  for (const word of words) {
    const [key, value = ""] = word.split("=");
    if (key !== "hugepages") size = /^1g$/i.test(value) ? "1G" : /^2m$/i.test(value) ? "2M" : undefined;
    else if (size !== undefined) reserved.push({ size, count: Number(/^\d+$/.exec(value)?.[0] ?? 0) });
  }
  return reserved;
}

/** Whether the spec's boot line reserves by itself; a default size alone does not. */
export const reservesByItself = (host: ProxmoxHost): boolean =>
  typedPages(host).some((word) => !word.startsWith("default_"));

/**
 * What the boot line reserves: what the spec's arguments say, else the host's own figure where the spec has one, else what
 * all its VMs need together.
 */
export function hugepageReservations(parts: ProxmoxHost): readonly Reservation[] {
  const { host, vms } = parts;
  if (reservesByItself(parts)) return ofBootLine(typedPages(parts));
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

/** NUMA nodes of a host, as far as the spec tells; not a number where it does not. */
export const nodeCount = ({ host }: ProxmoxHost): number =>
  host.cpu?.numa?.length ??
  Number(host.cpu?.nodesPerSocket?.slice(3) ?? Number.NaN) * (host.cpu?.sockets ?? 1);

/**
 * Memory of a VM by the host node that it is taken from, in bytes. Without NUMA nodes of its own Proxmox takes an equal
 * part for each virtual socket, from the host node of the socket's number. Source: PVE::QemuServer::Memory
 * hugepages_topology.
 */
function bytesByNode(vm: Vm): readonly (readonly [node: number, bytes: number])[] {
  const nodes = vm.numa ?? [];
  if (nodes.length > 0)
    return nodes.flatMap(({ hostNode, memory }) =>
      hostNode === undefined ? [] : [[hostNode, memory] as const],
    );
  const sockets = vm.sockets ?? 1;
  return Array.from({ length: sockets }, (_, socket) => [socket, vm.memory / sockets] as const);
}

/** A host node that has to give more pages than its even share of what the boot line reserves. */
interface UnevenNode {
  readonly node: number;
  readonly need: Reservation;
  readonly share: number;
}

/** Pages of one size that the VMs of a host take from each of its NUMA nodes. */
export function pagesByNode(
  { vms }: Pick<ProxmoxHost, "vms">,
  size: Reservation["size"],
): Map<number, number> {
  const needs = new Map<number, number>();
  for (const { vm } of vms) {
    if (pageOf(vm) !== size) continue;
    for (const [node, bytes] of bytesByNode(vm))
      needs.set(node, (needs.get(node) ?? 0) + Math.floor(bytes / PAGE_BYTES[size]));
  }
  return needs;
}

/** The kernel spreads what the boot line reserves over all nodes; these are the nodes that this leaves short. */
export function unevenNodes(host: ProxmoxHost): readonly UnevenNode[] {
  const count = nodeCount(host);
  if (!(count > 1)) return [];
  return hugepageReservations(host).flatMap(({ size, count: reserved }) => {
    const share = Math.ceil(reserved / count);
    return [...pagesByNode(host, size)]
      .filter(([node, pages]) => pages > share && node < count)
      .map(([node, pages]) => ({ node, need: { size, count: pages }, share }));
  });
}
