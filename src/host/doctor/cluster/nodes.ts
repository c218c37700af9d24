import { nodesOf } from "./cluster-objects.ts";
import type { ClusterNodeObject } from "./cluster-objects.ts";
import { clusterCheck, refused } from "./each-cluster.ts";
import type { Finding } from "../check.ts";

const ID = "cluster.nodes";
const PRESSURE = new Set(["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"]);

/** Nodes of the spec are there, ready, under no pressure, and take pods. */
export const clusterNodes = clusterCheck(ID, "Nodes of the cluster", async (cluster, api) => {
  const asked = await nodesOf(api);
  if (!asked.answered) return refused(ID, `cluster ${cluster.name}`, asked);
  const missing = cluster.nodes
    .filter(({ name }) => !asked.found.some(({ metadata }) => metadata.name === name))
    .map(({ name }): Finding => ({
      check: ID,
      subject: `node ${name}`,
      state: "error",
      seen: `not among ${asked.found.map(({ metadata }) => metadata.name).join(", ") || "no nodes"}`,
      wanted: "a node of this name",
      why: "Pods that are pinned to it stay Pending for ever.",
      remedy: "kubectl get nodes -o wide   # then the node's name in the spec, or join the node",
    }));
  const known = new Set(cluster.nodes.map(({ name }) => name));
  const looked = asked.found.filter(({ metadata }) => known.size === 0 || known.has(metadata.name));
  return [...missing, ...looked.map(findingOf)];
});

function findingOf({ metadata, spec, status }: ClusterNodeObject): Finding {
  const base = { check: ID, subject: `node ${metadata.name}` } as const;
  const conditions = status.conditions ?? [];
  const ready = conditions.find(({ type }) => type === "Ready");
  const why = `kubectl describe node ${metadata.name}`;
  if (ready?.status !== "True")
    return {
      ...base,
      state: "error",
      seen: `NotReady${ready?.message === undefined ? "" : `: ${ready.message}`}`,
      wanted: "Ready",
      why: "No pod is started on it, and those that run may be ended.",
      remedy: `${why}; on Talos: talosctl -n ADDRESS dmesg, talosctl service kubelet`,
    };
  const pressed = conditions.filter(({ type, status: is }) => PRESSURE.has(type) && is === "True");
  if (pressed.length > 0)
    return {
      ...base,
      state: "error",
      seen: pressed
        .map(({ type, message }) => `${type}${message === undefined ? "" : ` (${message})`}`)
        .join(", "),
      wanted: "no pressure",
      why: "The kubelet evicts pods under pressure, the largest first: your engines.",
      remedy: why,
    };
  if (spec?.unschedulable === true)
    return {
      ...base,
      state: "warning",
      seen: "cordoned: it takes no new pods",
      wanted: "schedulable",
      why: "An engine that has to move or restart there stays Pending.",
      remedy: `kubectl uncordon ${metadata.name}`,
    };
  return {
    ...base,
    state: "ok",
    seen: `Ready, ${status.nodeInfo?.kubeletVersion ?? ""}, ${status.nodeInfo?.osImage ?? ""}`,
  };
}
