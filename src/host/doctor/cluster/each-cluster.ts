import type { Cluster } from "../../../deployment/index.ts";
import type { Check, ClusterView, DoctorSubject, Finding } from "../check.ts";
import { clustersHere } from "../scope.ts";

/** What one check finds in one cluster of the spec, given a way to its API. */
export type LookAtCluster = (
  cluster: Cluster,
  api: ClusterView,
  subject: DoctorSubject,
) => Promise<readonly Finding[]>;

/** A check that looks at every cluster that the spec puts on this host. Says nothing where no API can be asked. */
export const clusterCheck = (id: Check["id"], title: string, look: LookAtCluster): Check => ({
  id,
  title,
  look: async (subject) => {
    const api = subject.cluster;
    if (api === undefined) return [];
    return (await Promise.all(clustersHere(subject).map((cluster) => look(cluster, api, subject)))).flat();
  },
});

/** A finding of what could not be asked: silence says it once, in `cluster.answers`; a refusal is said where it happens. */
export const refused = (
  check: string,
  subject: string,
  asked: { readonly status?: number; readonly message: string },
): readonly Finding[] =>
  asked.status === undefined
    ? []
    : [
        {
          check,
          subject,
          state: "unknown",
          seen: `the API server answers ${asked.status}: ${asked.message}`,
          remedy: "Use a kubeconfig whose user may read nodes, pods and namespaces.",
        },
      ];
