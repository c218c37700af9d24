import { formatBytes, GIB } from "../../../core/index.ts";
import { hugepageReservations, PAGE_BYTES, pageOf, pagesByNode } from "../../../render/proxmox/hugepages.ts";
import type { Reservation } from "../../../render/proxmox/hugepages.ts";
import type { Check, Finding } from "../check.ts";
import { hostParts, isRunning, memoryNodes } from "../facts/index.ts";
import type { HostParts } from "../facts/host-parts.ts";
import type { MemoryNode } from "../facts/index.ts";

const ID = "memory.hugepages";

/** Pages that are reserved, node by node, beside what the spec reserves and what the guests take from each node. */
export const hugepages: Check = {
  id: ID,
  title: "Hugepages",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    const wanted = parts === undefined ? [] : hugepageReservations(parts);
    if (parts === undefined || wanted.length === 0) return [];
    const nodes = memoryNodes(subject.view.root);
    if (nodes.length === 0)
      return [
        {
          check: ID,
          state: "unknown",
          seen: "/sys/devices/system/node lists no node, so pages cannot be counted",
        },
      ];
    const states = await Promise.all(parts.vms.map(({ vm }) => isRunning(subject.view, vm.id)));
    const idle = states.every((running) => running === false);
    return wanted.flatMap((reservation) => judge(parts, reservation, nodes, idle));
  },
};

function judge(
  parts: HostParts,
  { size, count }: Reservation,
  nodes: readonly MemoryNode[],
  idle: boolean,
): readonly Finding[] {
  const bytes = PAGE_BYTES[size];
  const pages = (node: MemoryNode): { count: number; free: number } =>
    node.pages.get(bytes) ?? { count: 0, free: 0 };
  const total = nodes.reduce((sum, node) => sum + pages(node).count, 0);
  const needs = pagesByNode(parts, size);
  const name = `pages of ${formatBytes(bytes).replace(".00", "")}`;
  const path = `machines.${parts.host.name}.memory.hugepages`;
  const short = nodes.flatMap((node) => {
    const need = needs.get(node.id) ?? 0;
    return pages(node).count < need ? [shortage(node, need, pages(node).count, bytes, name)] : [];
  });
  const absent = [...needs.keys()].filter((id) => !nodes.some((node) => node.id === id));
  const findings: Finding[] = [
    ...absent.map((id) => missingNode(id, parts)),
    ...short,
    ...(total < count && short.length === 0
      ? [
          {
            check: ID,
            subject: name,
            state: "error" as const,
            seen: `${total} are reserved`,
            wanted: String(count),
            why: "What is missing is missing to guests and engines.",
            remedy: `./omni apply --to metal   # hugepages=${count} on the boot line; then reboot`,
          },
        ]
      : []),
    ...(idle && short.length === 0 ? takenByOthers(nodes, needs, pages, name) : []),
  ].map((finding) => ({ ...finding, path }));
  if (findings.length > 0) return findings;
  const spread = nodes.map((node) => pages(node).count).join(" + ");
  const guests = parts.vms.filter(({ vm }) => pageOf(vm) === size).length;
  return [
    {
      check: ID,
      subject: name,
      state: "ok",
      seen: `${total} are reserved (${spread} by node) for ${guests} guest${guests === 1 ? "" : "s"}`,
      path,
    },
  ];
}

function shortage(node: MemoryNode, need: number, have: number, bytes: number, name: string): Finding {
  const missing = (need - have) * bytes;
  // Pages of 1 GiB cannot be put together later in practice; those of 2 MiB can, from pieces of that size.
  const later =
    node.whole === undefined || bytes === GIB
      ? ""
      : node.whole >= missing
        ? "; enough free memory in one piece is there"
        : node.free >= missing
          ? `; ${formatBytes(node.free)} are free, and only ${formatBytes(node.whole)} of it in pieces of 2 MiB: memory is fragmented`
          : "";
  return {
    check: ID,
    subject: `${name} on node ${node.id}`,
    state: "error",
    seen: `${have} are reserved${later}`,
    wanted: String(need),
    why: "The guest takes exactly these from this node and does not start without them.",
    remedy:
      "./omni apply --to metal   # hugepages on the boot line are spread over all nodes; then reboot: later, memory is in pieces",
    source: "qemu-server Memory.pm, hugepages_topology",
  };
}

const missingNode = (id: number, parts: HostParts): Finding => ({
  check: ID,
  subject: `node ${id}`,
  state: "error",
  seen: "this host has no such NUMA node",
  wanted: `the node that ${parts.vms.map(({ name }) => name).join(", ")} takes memory from`,
  why: "The guest does not start.",
  remedy: 'Set "NUMA nodes per socket" in the BIOS as the spec says, or correct vm.numa.',
});

/** No guest runs, and pages that they need are in use all the same. */
const takenByOthers = (
  nodes: readonly MemoryNode[],
  needs: ReadonlyMap<number, number>,
  pages: (node: MemoryNode) => { readonly count: number; readonly free: number },
  name: string,
): readonly Finding[] =>
  nodes.flatMap((node) => {
    const need = needs.get(node.id) ?? 0;
    const { free } = pages(node);
    if (free >= need) return [];
    return [
      {
        check: ID,
        subject: `${name} on node ${node.id}`,
        state: "warning" as const,
        seen: `${free} are free, and no guest of the spec runs`,
        wanted: String(need),
        why: "Something else holds them, so that the guest does not start.",
        remedy: "grep -l hugepages /proc/*/numa_maps; ls /dev/hugepages /run/hugepages   # who has them",
      },
    ];
  });
