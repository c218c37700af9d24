import { runtimeClassOf } from "./cluster-objects.ts";
import { clusterCheck, refused } from "./each-cluster.ts";

const ID = "cluster.runtime-class";

/** The RuntimeClass of GPU pods exists. */
export const runtimeClass = clusterCheck(ID, "RuntimeClass of GPU pods", async (cluster, api) => {
  const { runtimeClass: name, createRuntimeClass: creates } = cluster;
  if (name === undefined) return [];
  const asked = await runtimeClassOf(api, name);
  const base = { check: ID, subject: `RuntimeClass ${name}` } as const;
  if (asked.answered) return [{ ...base, state: "ok", seen: `handler ${asked.found.handler ?? "unknown"}` }];
  if (asked.status !== 404) return refused(ID, base.subject, asked);
  return [
    {
      ...base,
      state: creates ? "note" : "error",
      seen: creates ? "not there yet; the rendered files bring it" : "not there",
      ...(creates
        ? {}
        : {
            wanted: "the object, besides the handler in containerd",
            path: "runtime.kubernetes.createRuntimeClass",
          }),
      why: "A pod that names a RuntimeClass which does not exist is refused.",
      remedy: creates ? "./omni apply" : "runtime.kubernetes.createRuntimeClass: true",
    },
  ];
});
