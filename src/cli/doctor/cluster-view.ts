import { messageOf, present } from "../../core/index.ts";
import type { ClusterView } from "../../host/doctor/index.ts";
import type { Spec } from "../../spec/index.ts";
import { ApiClient } from "../../runtimes/kubernetes/api-client.ts";
import { ApiError } from "../../runtimes/kubernetes/api-error.ts";
import { clusterAccess } from "../../runtimes/kubernetes/cluster-access.ts";
import { resolveFrom } from "../node-spec.ts";

/** Milliseconds for one answer. */
const WAIT = 15_000;

/** A way to the API server that the spec's kubeconfig names. Credentials are read at the first question. */
export function clusterView({ runtime }: Spec, folder: string): ClusterView {
  const { kubeconfig, context } = runtime.kubernetes;
  const path = kubeconfig === undefined ? undefined : resolveFrom(folder, kubeconfig);
  let client: Promise<ApiClient> | undefined;
  const connect = async (): Promise<ApiClient> =>
    new ApiClient(await clusterAccess(present({ kubeconfig: path, context })));
  return {
    name: context ?? path ?? "the current context",
    get: async (asked) => {
      try {
        client ??= connect();
        const body = await (await client).json({ path: asked, signal: AbortSignal.timeout(WAIT) });
        return { answered: true, body };
      } catch (thrown) {
        const message = messageOf(thrown);
        return thrown instanceof ApiError
          ? { answered: false, status: thrown.status, message }
          : { answered: false, message };
      }
    },
  };
}
