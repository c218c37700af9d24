import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, Deployment } from "../../deployment/index.ts";
import { hasGateway } from "./gateway-place.ts";
import { servicesOf } from "./labels.ts";

/** Images of a cluster that are built by what is rendered in images/ and that no registry is named for. */
function unpushed(deployment: Deployment, cluster: Cluster): readonly string[] {
  const used = new Set([
    ...servicesOf(deployment, cluster).flatMap(({ image }) => image ?? []),
    ...(hasGateway(deployment, cluster) ? [deployment.gateway.image] : []),
  ]);
  const built = deployment.images.filter(({ tag, push }) => push === undefined && used.has(tag));
  return [...new Set(built.map(({ tag }) => tag))];
}

/** A kubelet asks docker.io for a name without a registry, where nobody has it, or somebody else does. */
export function builtImageDiagnostics(deployment: Deployment, cluster: Cluster): readonly Diagnostic[] {
  const images = unpushed(deployment, cluster);
  if (images.length === 0) return [];
  const { guest, name } = cluster;
  return [
    {
      code: "render.needs-value",
      severity: "warning",
      path: guest === undefined ? "runtime.kind" : `guests.${guest}.registries`,
      message: `${images.join(", ")}: built by images/build.sh and pushed nowhere. The nodes of ${name} ask docker.io for ${images.length === 1 ? "it" : "them"}, where whoever has that name decides what runs here.`,
      hint: "registries: { local: { address: 192.168.1.10:5000, insecure: true } }   # under the guest; or import each on every node: ctr -n k8s.io images import",
    },
  ];
}
