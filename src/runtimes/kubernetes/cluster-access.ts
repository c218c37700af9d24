import { existsSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { homedir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { messageOf, OmniError, optionalPart } from "../../core/index.ts";

/** Where a pod finds its own credentials. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** How to reach one cluster, with the credentials of one user; nothing of these is ever shown. */
export interface ClusterAccess {
  /** `https://10.0.0.1:6443`, perhaps with a path. */
  readonly server: string;
  /** What the owner calls it: a context, or `in-cluster`. */
  readonly name: string;
  readonly inCluster: boolean;
  /** Agent, headers and certificates of one request; renews a credential that has ended. */
  authenticate(options: RequestOptions): Promise<void>;
  /** For the library's own WebSockets. */
  readonly config: KubeConfig;
}

export interface AccessOptions {
  /** Path of a kubeconfig; `KUBECONFIG`, `~/.kube/config` and the pod's own account are looked for when absent. */
  readonly kubeconfig?: string;
  /** Context of that file; its current one when absent. */
  readonly context?: string;
  /** Whether this process is to use its pod's account; found out when absent. */
  readonly inCluster?: boolean;
}

/**
 * Reads the credentials. The library is loaded here, at the first use: it costs half a second, which a node without a
 * cluster never pays. Throws OmniError `cluster.no-config`.
 */
export async function clusterAccess(options: AccessOptions): Promise<ClusterAccess> {
  // The entry of the package loads a third more, none of which is needed to sign a request.
  const { KubeConfig } = await optionalPart(
    "@kubernetes/client-node",
    () => import("@kubernetes/client-node/dist/config.js"),
  );
  const config = new KubeConfig();
  const inCluster = options.inCluster ?? runsInPod(options);
  const from = inCluster ? SERVICE_ACCOUNT : kubeconfigPath(options);
  try {
    if (inCluster) config.loadFromCluster();
    else if (options.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(options.kubeconfig);
  } catch (error) {
    throw new OmniError("cluster.no-config", `${from} cannot be read as a kubeconfig: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (options.context !== undefined) config.setCurrentContext(options.context);
  return accessOf(config, from, inCluster);
}

/** A pod has an account and is told where the API is; a kubeconfig that was named, or that is there, is preferred. */
function runsInPod(options: AccessOptions): boolean {
  if (options.kubeconfig !== undefined || (process.env["KUBECONFIG"] ?? "") !== "") return false;
  return (process.env["KUBERNETES_SERVICE_HOST"] ?? "") !== "" && existsSync(SERVICE_ACCOUNT);
}

function kubeconfigPath(options: AccessOptions): string {
  const named = options.kubeconfig ?? process.env["KUBECONFIG"] ?? "";
  if (named !== "") return named;
  const path = join(homedir(), ".kube", "config");
  if (existsSync(path)) return path;
  throw new OmniError(
    "cluster.no-config",
    `There is no kubeconfig: KUBECONFIG is not set, ${path} does not exist, and this is no pod of a cluster.`,
  );
}

function accessOf(config: KubeConfig, from: string, inCluster: boolean): ClusterAccess {
  const names = config.getContexts().map(({ name }) => name);
  const wanted = config.getCurrentContext();
  const context = config.getContextObject(wanted);
  if (context === null) {
    const what = wanted === undefined || wanted === "" ? "no current context" : `no context ${wanted}`;
    throw new OmniError("cluster.no-config", `${from} has ${what}.`, {
      hint: names.length === 0 ? "The file names no context at all." : `It has: ${names.join(", ")}.`,
    });
  }
  const cluster = config.getCluster(context.cluster);
  if (cluster === null || config.getUser(context.user) === null) {
    const missing = cluster === null ? `cluster ${context.cluster}` : `user ${context.user}`;
    throw new OmniError(
      "cluster.no-config",
      `The context ${wanted} of ${from} names the ${missing}, which is not there.`,
    );
  }
  // The library refuses plain HTTP as well, but only at the first request.
  if (cluster.server.startsWith("http:") && !cluster.skipTLSVerify) {
    throw new OmniError(
      "cluster.no-config",
      `The cluster ${cluster.name} of ${from} is reached by plain HTTP, which would send its credentials readable.`,
      { hint: "Use https://, or say insecure-skip-tls-verify: true for a server of your own machine." },
    );
  }
  return {
    server: cluster.server.replace(/\/+$/, ""),
    name: inCluster ? "in-cluster" : wanted,
    inCluster,
    authenticate: (options) => config.applyToHTTPSOptions(options),
    config,
  };
}
