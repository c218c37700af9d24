import { formatBytes } from "../../../core/index.ts";
import { parseCpuList } from "../../../inventory/index.ts";
import type { Check, DoctorSubject, Finding } from "../check.ts";
import { memoryNodes } from "../facts/index.ts";
import type { MemoryNode } from "../facts/index.ts";

const ID = "memory.numa";
/** Engines that read the whole model with every thread, and those that cut it by node. */
const ONE_NODE = new Set(["llama.cpp", "embedded"]);
const BY_NODE = new Set(["ktransformers"]);

/** NUMA nodes beside the spec, and beside what the engines on this host can make of them. */
export const numaLayout: Check = {
  id: ID,
  title: "NUMA layout",
  look(subject): readonly Finding[] {
    const nodes = memoryNodes(subject.view.root).filter(({ cpus }) => cpus !== "");
    if (nodes.length === 0)
      return subject.host?.cpu?.nodesPerSocket === undefined && subject.host?.cpu?.numa === undefined
        ? []
        : [{ check: ID, state: "unknown", seen: "/sys/devices/system/node lists no node" }];
    const seen = `${nodes.length} node${nodes.length === 1 ? "" : "s"} of ${formatBytes(nodes[0]?.total ?? 0)}`;
    const findings = [
      ...besideSpec(subject, nodes, seen),
      ...emptyNodes(nodes),
      ...besideEngines(subject, nodes),
    ];
    return findings.length > 0 ? findings : [{ check: ID, state: "ok", seen }];
  },
};

function besideSpec(
  { host, view }: DoctorSubject,
  nodes: readonly MemoryNode[],
  seen: string,
): readonly Finding[] {
  const cpu = host?.cpu;
  if (host === undefined || cpu === undefined) return [];
  const sockets = cpu.sockets ?? view.machine.cpu.sockets ?? 1;
  const perSocket = cpu.nodesPerSocket === undefined ? undefined : Number(cpu.nodesPerSocket.slice(3));
  const wanted = cpu.numa?.length ?? (perSocket === undefined ? undefined : perSocket * sockets);
  if (wanted !== undefined && wanted !== nodes.length)
    return [
      {
        check: ID,
        subject: "nodes",
        state: "error",
        seen,
        wanted: `${wanted} node${wanted === 1 ? "" : "s"}${cpu.nodesPerSocket === undefined ? "" : ` (${cpu.nodesPerSocket})`}`,
        why: "Guests and hugepages are cut by node; a guest that asks for a node that is not there does not start.",
        remedy: `Set "NUMA nodes per socket" in the BIOS to ${cpu.nodesPerSocket ?? `what makes ${wanted}`}, or correct cpu in omni.yaml.`,
        path: `machines.${host.name}.cpu`,
      },
    ];
  return (cpu.numa ?? []).flatMap((typed, id) => differs(host.name, typed, nodes[id], id));
}

function differs(
  host: string,
  typed: { readonly cpus: string; readonly memory: number },
  node: MemoryNode | undefined,
  id: number,
): readonly Finding[] {
  if (node === undefined) return [];
  const sameCpus = parseCpuList(typed.cpus).join() === parseCpuList(node.cpus).join();
  const sameMemory = Math.abs(node.total - typed.memory) <= typed.memory * 0.08;
  if (sameCpus && sameMemory) return [];
  return [
    {
      check: ID,
      subject: `node ${id}`,
      state: "warning",
      seen: `CPUs ${node.cpus}, ${formatBytes(node.total)}`,
      wanted: `CPUs ${typed.cpus}, ${formatBytes(typed.memory)}`,
      why: "Threads that are pinned by the spec's numbers run beside another node's memory.",
      remedy: "Correct cpu.numa in omni.yaml; lscpu lists the nodes.",
      path: `machines.${host}.cpu.numa.${id}`,
    },
  ];
}

const emptyNodes = (nodes: readonly MemoryNode[]): readonly Finding[] =>
  nodes
    .filter(({ total }) => total === 0)
    .map(({ id, cpus }) => ({
      check: ID,
      subject: `node ${id}`,
      state: "warning" as const,
      seen: `CPUs ${cpus} have no memory of their own`,
      wanted: "memory beside each node's CPUs",
      why: "Every access of these CPUs goes through another node.",
      remedy: "Put memory modules into the channels of that node; the board's manual says which slots.",
    }));

/** More nodes than sockets help engines that cut models by node, and slow down those that do not. */
function besideEngines(
  { host, deployment, view }: DoctorSubject,
  nodes: readonly MemoryNode[],
): readonly Finding[] {
  const sockets = view.machine.cpu.sockets ?? host?.cpu?.sockets ?? 1;
  const services = (deployment?.services ?? []).filter(
    ({ machine }) => machine === undefined || machine === host?.name,
  );
  const slow = services.filter(({ kind }) => ONE_NODE.has(kind));
  const fast = services.filter(({ kind }) => BY_NODE.has(kind));
  if (nodes.length <= sockets || slow.length === 0 || fast.length > 0) return [];
  return [
    {
      check: ID,
      subject: "engines",
      state: "warning",
      seen: `${nodes.length} nodes on ${sockets} socket${sockets === 1 ? "" : "s"}, and ${slow.map(({ name, kind }) => `${name} (${kind})`).join(", ")}`,
      wanted: "NPS1",
      why: "llama.cpp does not cut a model by node: most of what a thread reads lies in another node's memory.",
      remedy:
        'Set "NUMA nodes per socket" to NPS1 in the BIOS; NPS4 is for engines that cut by node (KTransformers).',
      source: "ggml-org/llama.cpp#1437, #11333, #14969",
    },
  ];
}
