import { clusterFault } from "./cluster-fault.ts";
import type { ClusterSession } from "./cluster-session.ts";
import { type Pod, readPod } from "./pod.ts";
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
  const path = session.podPath(pod.name);
  const restarts = pod.engine?.restartCount ?? 0;
  return new PodLog({
    ...how,
    client,
    path,
    sameRun: async () => {
      const now = readPod(await client.json({ path, signal: session.closing.signal }));
      return now?.uid === pod.uid && (now.engine?.restartCount ?? 0) === restarts;
    },
    container: pod.engineName,
    backoff: options.backoff,
    onTrouble: (error) => {
      const asked = { ...session.watching("pods/log"), verb: "get" as const, purpose: "read what it says" };
      const fault = clusterFault(error, asked, client.access.server);
      how.onNote(`its log cannot be read: ${fault.message} ${fault.hint}`);
    },
  });
}
