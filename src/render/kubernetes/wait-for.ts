import type { V1Container } from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService, Deployment } from "../../deployment/index.ts";
import { kubernetesText } from "../escape/kubernetes-variable.ts";
import { servicePath, servicesOf } from "./labels.ts";
import { asRoot } from "./security-context.ts";
import { engineAddress } from "./service.ts";

/**
 * Asks until an answer comes, with whatever the engine's own image has for it. An image with none of them does not hold
 * the engine back for ever: it says so and lets it start.
 */
export const WAIT = `for url in "$@"; do
  until
    if command -v curl >/dev/null; then curl -fsS -m 5 -o /dev/null "$url"
    elif command -v wget >/dev/null; then wget -q -T 5 -O /dev/null "$url"
    elif command -v python3 >/dev/null; then python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$url"
    else echo "no curl, wget or python3 in this image: starting without waiting for $url"; fi
  do
    echo "waiting for $url"
    sleep 5
  done
done
`;

/** The container that waits until the services of `after` are ready, in the engine's own image. */
export function waitFor(
  service: DeployedService,
  image: string,
  deployment: Deployment,
  cluster: Cluster,
): { readonly containers: readonly V1Container[]; readonly diagnostics: readonly Diagnostic[] } {
  const here = servicesOf(deployment, cluster);
  const awaited = here.filter(({ name, replicaOf }) => service.after.includes(replicaOf ?? name));
  const elsewhere = service.after.filter(
    (name) => !here.some((other) => (other.replicaOf ?? other.name) === name),
  );
  const urls = awaited.map((other) => `${engineAddress(other, cluster)}${other.start.readyPath}`);
  const container: V1Container = {
    name: "wait-for",
    image,
    command: ["/bin/sh", "-ec", kubernetesText(WAIT, servicePath(service)), "wait-for"],
    args: urls.map((url) => kubernetesText(url, `${servicePath(service)}.after`)),
    // It computes nothing, and an image that asks for all cards would get them here as well.
    env: [{ name: "NVIDIA_VISIBLE_DEVICES", value: "void" }],
    securityContext: asRoot(),
  };
  return {
    containers: urls.length === 0 ? [] : [container],
    diagnostics: elsewhere.map((name) => ({
      code: "render.not-applicable",
      severity: "warning",
      path: `${servicePath(service)}.after`,
      message: `${service.name} is to start after ${name}, which does not run in the cluster ${cluster.name}; its pod does not wait for it.`,
      hint: `Start ${name} first, or run both in one cluster.`,
    })),
  };
}
