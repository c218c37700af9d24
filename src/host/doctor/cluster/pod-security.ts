import { namespaceOf } from "./cluster-objects.ts";
import { clusterCheck, refused } from "./each-cluster.ts";

const ID = "cluster.pod-security";
const LABEL = "pod-security.kubernetes.io/enforce";
const LEVELS = ["restricted", "baseline", "privileged"] as const;

/** The namespace lets in the pods that the spec makes. */
export const podSecurity = clusterCheck(ID, "PodSecurity of the namespace", async (cluster, api) => {
  const { namespace, podSecurity: wanted } = cluster;
  const asked = await namespaceOf(api, namespace);
  const base = { check: ID, subject: `namespace ${namespace}` } as const;
  if (!asked.answered)
    return asked.status === 404
      ? [
          {
            ...base,
            state: "note",
            seen: "not there yet; the rendered files bring it",
            remedy: "./omni apply",
          },
        ]
      : refused(ID, base.subject, asked);
  const label = asked.found.metadata.labels?.[LABEL];
  // Talos enforces baseline where nothing is said; other distributions nothing at all.
  const level =
    LEVELS.find((one) => one === label) ?? (cluster.distribution === "talos" ? "baseline" : "privileged");
  if (LEVELS.indexOf(level) >= LEVELS.indexOf(wanted))
    return [{ ...base, state: "ok", seen: label ?? `no label: ${level}` }];
  return [
    {
      ...base,
      state: "error",
      seen: label === undefined ? `no label, so Talos enforces ${level}` : `${LABEL}=${label}`,
      wanted,
      why: "Pods with hostPath, host network or privileges are refused, and their Deployment stays at 0 without a word.",
      remedy: `kubectl label namespace ${namespace} ${LABEL}=${wanted} --overwrite`,
      path: "runtime.kubernetes.podSecurity",
      source: "Talos: enforce=baseline by default, kube-system exempt",
    },
  ];
});
