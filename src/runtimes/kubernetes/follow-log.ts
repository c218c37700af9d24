import { clusterFault } from "./cluster-fault.ts";
import type { ClusterSession } from "./cluster-session.ts";
import type { Pod } from "./pod.ts";
import { PodLog } from "./pod-log.ts";

/** Follows what the engine's container of a pod writes; `onNote` is told, with the remedy, when it cannot be read. */
export function followLog(
  session: ClusterSession,
  pod: Pod,
  how: {
    readonly tailLines?: number;
    readonly onLine: (line: string) => void;
    readonly onNote: (words: string) => void;
  },
): PodLog {
  const { client, options } = session;
  return new PodLog({
    ...how,
    client,
    path: session.podPath(pod.name),
    container: pod.engineName,
    backoff: options.backoff,
    onTrouble: (error) => {
      const asked = { ...session.watching("pods/log"), verb: "get" as const, purpose: "read what it says" };
      const fault = clusterFault(error, asked, client.access.server);
      how.onNote(`its log cannot be read: ${fault.message} ${fault.hint}`);
    },
  });
}
