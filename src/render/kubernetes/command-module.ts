import type {
  KubernetesObject,
  V1Container,
  V1Deployment,
  V1ObjectMeta,
  V1SecurityContext,
} from "@kubernetes/client-node";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, CommandModule, Deployment } from "../../deployment/index.ts";
import { kubernetesText } from "../escape/kubernetes-variable.ts";
import { moduleStorage } from "./command-module-storage.ts";
import { commandModuleName, hasGateway } from "./gateway-place.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { labelsOf, ownerAnnotation, selectorOf } from "./labels.ts";
import { objectName } from "./object-name.ts";
import type { Data } from "./object.ts";
import { withoutChoice } from "./owner-choices.ts";
import { pinningOf } from "./pinning.ts";
import { placementOf } from "./placement.ts";
import { podBasics } from "./pod-parts.ts";
import { variablesOf } from "./secrets.ts";
import { asRoot, PRIVILEGED } from "./security-context.ts";

const PATH = "runbook.commandModule";

/**
 * Installs the packages that are its arguments, with the image's own package manager, and then waits for commands from
 * `kubectl exec`. A package that cannot be had does not end the shell: its log says so. SIGTERM ends it at once.
 */
export const SHELL = `trap 'exit 0' TERM INT
install() {
  if command -v apt-get >/dev/null; then
    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o APT::Sandbox::User=root install -y --no-install-recommends -- "$@"
  elif command -v apk >/dev/null; then
    apk add --no-cache -- "$@"
  elif command -v dnf >/dev/null; then
    dnf install -y -- "$@"
  else
    echo "no apt-get, apk or dnf in this image" >&2
    return 1
  fi
}
if [ "$#" -gt 0 ]; then
  install "$@" || echo "not all packages were installed: $*" >&2
fi
echo "ready"
while :; do
  sleep 3600 &
  wait "$!"
done
`;

/** What a package manager needs to unpack files of other users; all within PodSecurity baseline. */
const INSTALLING = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/** The shell pod with storage that stays, in the cluster that has the gateway. */
export function commandModuleFile(deployment: Deployment, cluster: Cluster): readonly KubernetesFile[] {
  const { commandModule } = deployment;
  if (commandModule === undefined || !hasGateway(deployment, cluster)) return [];
  const name = commandModuleName(deployment);
  const labelled = { name: "omni-command-module", instance: name, component: "shell" };
  const metadata = (own: string): Data<V1ObjectMeta> => ({
    name: own,
    namespace: cluster.namespace,
    labels: labelsOf(deployment, cluster, labelled),
    annotations: ownerAnnotation(PATH),
  });
  const pinning = pinningOf(
    { metadata: metadata(objectName(name, "gpus")), cards: commandModule.gpus, path: PATH },
    cluster,
    deployment.hosts,
  );
  const storage = moduleStorage(commandModule, metadata(objectName(name, "data")), cluster);
  const owner = withoutChoice(commandModule.environment, pinning, PATH);
  const container: V1Container = {
    name: "shell",
    image: commandModule.image,
    command: ["/bin/sh", "-c", kubernetesText(SHELL, PATH), "command-module"],
    ...(commandModule.packages.length === 0
      ? {}
      : { args: commandModule.packages.map((word) => kubernetesText(word, `${PATH}.packages`)) }),
    workingDir: commandModule.at,
    env: variablesOf({ ...pinning.environment, ...owner.environment }, deployment, PATH),
    ...(Object.keys(pinning.resources).length === 0 ? {} : { resources: pinning.resources }),
    securityContext: securityOf(commandModule),
    volumeMounts: [storage.mount],
  };
  const workload: V1Deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(name),
    spec: {
      replicas: pinning.blocked === undefined ? 1 : 0,
      revisionHistoryLimit: 1,
      strategy: { type: "Recreate" },
      selector: { matchLabels: selectorOf(labelled) },
      template: {
        metadata: { labels: labelsOf(deployment, cluster, labelled), annotations: ownerAnnotation(PATH) },
        spec: {
          ...podBasics(cluster),
          ...pinning.pod,
          ...placementOf(nodeOf(commandModule, cluster), cluster, commandModule.gpus.length > 0),
          terminationGracePeriodSeconds: 10,
          ...(storage.before.length === 0 ? {} : { initContainers: [...storage.before] }),
          containers: [container],
          volumes: [storage.volume],
        },
      },
    },
  };
  return [
    {
      path: "command-module.yaml",
      objects: [...pinning.objects, ...storage.objects, workload] satisfies KubernetesObject[],
      comment: [
        `Command module of ${deployment.name}: a shell in the cluster with storage that stays, rendered by Omni from omni.yaml (${PATH}).`,
        `Enter it: kubectl -n ${cluster.namespace} exec -it deploy/${name} -- sh`,
        `What lies under ${commandModule.at} stays when the pod goes; packages are installed again at each start (kubectl logs shows how).`,
        pinning.reason,
      ].join("\n"),
      reason: `${PATH} asks for it.`,
      diagnostics: [
        ...pinning.diagnostics,
        ...owner.diagnostics,
        ...storage.diagnostics,
        ...bookingDiagnostics(commandModule, cluster),
      ],
    },
  ];
}

const securityOf = ({ privileged, packages }: CommandModule): V1SecurityContext =>
  privileged ? PRIVILEGED : asRoot(packages.length === 0 ? [] : INSTALLING);

/** The node that has its cards, or its folder. */
const nodeOf = ({ gpus, folder }: CommandModule, cluster: Cluster): string | undefined =>
  cluster.nodeName ??
  (gpus.length > 0
    ? cluster.nodes.find((node) => gpus.every((card) => node.gpus.includes(card.name)))?.name
    : folder !== undefined && cluster.nodes.length === 1
      ? cluster.nodes[0]?.name
      : undefined);

/** A shell that books cards keeps them from the engines; only by UUID does it look at cards that others use. */
const bookingDiagnostics = ({ gpus }: CommandModule, cluster: Cluster): Diagnostic[] =>
  gpus.length === 0 || cluster.pinning === "uuid"
    ? []
    : [
        {
          code: "render.not-applicable",
          severity: "warning",
          path: `${PATH}.gpus`,
          message: `With pinning: ${cluster.pinning} the command module books ${gpus.length} card${gpus.length === 1 ? "" : "s"} for itself alone, and no engine gets them as long as it runs.`,
          hint: `Leave gpus away: kubectl -n ${cluster.namespace} exec deploy/SERVICE -- nvidia-smi shows an engine's cards.`,
        },
      ];
