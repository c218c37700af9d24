/**
 * Kubernetes: engines as workloads of a cluster, applied on the server under a field manager of Omni's and followed by
 * shared watches. Never here: what a workload looks like (render), and when it is started or ended (supervisor).
 */
export { createKubernetesRuntime, type KubernetesRuntimeOptions } from "./kubernetes-runtime.ts";
