import type { Check, DoctorSubject, Finding } from "../check.ts";
import { clustersHere } from "../scope.ts";
import { serverVersion } from "./cluster-objects.ts";

const ID = "cluster.answers";

/** The cluster answers, and its version is the spec's. */
export const clusterAnswers: Check = {
  id: ID,
  title: "Kubernetes API",
  look: async (subject) => {
    const clusters = clustersHere(subject);
    if (clusters.length === 0) return [];
    return (await Promise.all(clusters.map(({ name, version }) => findingOf(subject, name, version)))).flat();
  },
};

async function findingOf(
  { cluster }: DoctorSubject,
  name: string,
  wanted: string | undefined,
): Promise<readonly Finding[]> {
  const base = { check: ID, subject: `cluster ${name}` } as const;
  const asked = await cluster?.get("/version");
  if (cluster === undefined || asked === undefined || !asked.answered)
    return [
      {
        ...base,
        state: "error",
        seen: asked === undefined || asked.answered ? "no kubeconfig was found" : asked.message,
        wanted: "a kubeconfig whose API server answers",
        why: "Nothing of the cluster can be looked at, and nothing can be deployed.",
        remedy: "talosctl kubeconfig, or runtime.kubernetes.kubeconfig and context in the spec",
        path: "runtime.kubernetes.kubeconfig",
      },
    ];
  const version = await serverVersion(cluster);
  if (!version.answered) return [{ ...base, state: "unknown", seen: version.message }];
  const seen = version.found.gitVersion.replace(/^v/, "");
  if (wanted === undefined || minorOf(seen) === minorOf(wanted))
    return [{ ...base, state: "ok", seen: `${cluster.name} answers, Kubernetes ${seen}` }];
  const skew = Math.abs(minorOf(seen) - minorOf(wanted));
  return [
    {
      ...base,
      state: skew > 1 ? "error" : "warning",
      seen: `Kubernetes ${seen}`,
      wanted,
      why: `${skew} minor versions lie between: objects are rendered for ${wanted}, and APIs come and go (DRA is v1 from 1.34 on).`,
      remedy: `kubernetes.version: ${JSON.stringify(seen)}   # or talosctl upgrade-k8s --to ${wanted}`,
    },
  ];
}

/** `35` of 1.35.0. */
const minorOf = (version: string): number => Number(version.split(".")[1] ?? 0);
