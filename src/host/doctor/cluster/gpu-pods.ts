import { podsOf } from "./cluster-objects.ts";
import type { ClusterPodObject } from "./cluster-objects.ts";
import { clusterCheck, refused } from "./each-cluster.ts";
import type { Finding } from "../check.ts";

const ID = "cluster.gpu-pods";
const NVIDIA = /nvidia|gpu-operator|gpu-feature-discovery|dcgm-exporter/;
const VALIDATION = /validation|validator/;

/** Pods of NVIDIA's device plugin or operator that do not get ready. */
export const gpuPods = clusterCheck(ID, "NVIDIA's pods", async (cluster, api) => {
  const asked = await podsOf(api);
  if (!asked.answered) return refused(ID, `cluster ${cluster.name}`, asked);
  const pods = asked.found.filter(
    ({ metadata, status }) => NVIDIA.test(metadata.name) && status.phase !== "Succeeded",
  );
  const stuck = pods.flatMap(findingOf);
  if (stuck.length > 0 || pods.length === 0) return stuck;
  return [{ check: ID, subject: `cluster ${cluster.name}`, state: "ok", seen: `${pods.length} pods run` }];
});

function findingOf({ metadata, spec, status }: ClusterPodObject): readonly Finding[] {
  const init = status.initContainerStatuses ?? [];
  const all = [...init, ...(status.containerStatuses ?? [])];
  const waiting = all.find(({ state }) => state?.waiting !== undefined);
  const looping = init.find(
    ({ name, ready, state }) => VALIDATION.test(name) && ready !== true && state?.running !== undefined,
  );
  const ready =
    status.phase === "Running" && (status.containerStatuses ?? []).every((one) => one.ready === true);
  if (ready) return [];
  const base = {
    check: ID,
    subject: `pod ${metadata.namespace ?? "default"}/${metadata.name}`,
    state: "error",
    wanted: "ready",
  } as const;
  const where = spec?.nodeName === undefined ? "on no node" : `on ${spec.nodeName}`;
  if (looping !== undefined || (waiting !== undefined && VALIDATION.test(`${metadata.name} ${waiting.name}`)))
    return [
      {
        ...base,
        seen: `waits ${where} in ${looping?.name ?? waiting?.name ?? "validation"}, ${(looping ?? waiting)?.restartCount ?? 0} restarts`,
        why: "The operator's validator loops for ever on Talos: it looks for a driver container, and Talos brings the driver itself.",
        remedy:
          "On Talos 1.12 remove the operator and run the device plugin alone (kubernetes.devicePlugin: true); from 1.13 on: gpu-operator v26.3.1, driver.enabled=false, toolkit.enabled=false, hostPaths.driverInstallDir=/usr/local",
        source: "https://github.com/NVIDIA/gpu-operator/issues/1687; Talos 1.12 and 1.13 documentation",
      },
    ];
  const reason = waiting?.state?.waiting?.reason ?? status.phase ?? "not ready";
  const message = waiting?.state?.waiting?.message;
  return [
    {
      ...base,
      seen: `${reason} ${where}${message === undefined ? "" : `: ${message.slice(0, 200)}`}`,
      why: "Without it the node offers no cards to the scheduler.",
      remedy: `kubectl -n ${metadata.namespace ?? "default"} describe pod ${metadata.name}; kubectl logs --previous`,
    },
  ];
}
