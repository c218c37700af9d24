import type { Finding } from "../check.ts";
import { nodesOf } from "./cluster-objects.ts";
import { clusterCheck } from "./each-cluster.ts";

const ID = "cluster.gpus";
const RESOURCE = "nvidia.com/gpu";

/** Nodes offer as many cards as the spec gives them. */
export const clusterGpus = clusterCheck(ID, "Cards that nodes offer", async (cluster, api) => {
  const asked = await nodesOf(api);
  if (!asked.answered) return [];
  return cluster.nodes.flatMap(({ name, gpus }): readonly Finding[] => {
    const node = asked.found.find(({ metadata }) => metadata.name === name);
    if (node === undefined || gpus.length === 0) return [];
    const text = node.status.allocatable?.[RESOURCE];
    const offered = Number(text ?? 0);
    const base = { check: ID, subject: `node ${name}` } as const;
    if (offered === gpus.length) return [{ ...base, state: "ok", seen: `${offered} ${RESOURCE}` }];
    // Pods that are pinned by UUID need the runtime alone; counting is what the plugin adds.
    const counted =
      cluster.pinning === "device-plugin" || cluster.devicePlugin || cluster.gpuOperator !== undefined;
    if (!counted && text === undefined) return [];
    return [
      {
        ...base,
        state: cluster.pinning === "device-plugin" ? "error" : "warning",
        seen: text === undefined ? `no ${RESOURCE} at all` : `${offered} ${RESOURCE}`,
        wanted: `${gpus.length}: ${gpus.join(", ")}`,
        why:
          text === undefined
            ? "The device plugin has not registered: it does not run there, or the driver shows it no card."
            : "A card is missing: it has fallen off, or is not handed through to the VM.",
        remedy: `kubectl get pods -A -o wide | grep nvidia; talosctl -n ADDRESS read /proc/driver/nvidia/version`,
      },
    ];
  });
});
