import type { KubernetesObject } from "@kubernetes/client-node";
import type { Cluster, Deployment, SecretReference } from "../../deployment/index.ts";
import type { Artifact } from "../artifact.ts";
import { codeBlock, markdownText } from "../escape/markdown.ts";
import { shellCommand, shellWord } from "../escape/shell.ts";
import { gatewayName, hasGateway, mcpName } from "./gateway-place.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";
import { servicesOf } from "./labels.ts";
import { spansMachines } from "./leader-worker-set.ts";
import { isolatedNetworks } from "./network-policies.ts";
import { secretKey, secretName, secretsOf } from "./secrets.ts";
import { engineAddress } from "./service.ts";

/** Commands as a block that no text of theirs can end. */
const block = (lines: readonly string[]): string => codeBlock(lines.join("\n"), "sh");

const kubectl = (...words: readonly string[]): string => shellCommand(["kubectl", ...words]);

/** README.md of a cluster's folder: what is applied in which order, what each file is, and how to see that it works. */
export function readme(
  files: readonly KubernetesFile[],
  values: readonly Artifact[],
  deployment: Deployment,
  cluster: Cluster,
): string {
  const sections = [
    `<!-- Rendered by Omni from omni.yaml. -->\n# ${markdownText(deployment.name)} on the cluster ${markdownText(cluster.name)}`,
    "Rendered by Omni from omni.yaml; a change belongs there. Every object names the part of the spec that asks for it in its annotation `omni.internal/asked-for-by`. The commands below run in this folder.",
    applySection(files, deployment, cluster),
    filesSection(files, values),
    byHandSection(files),
    addressesSection(deployment, cluster),
    checksSection(deployment, cluster),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

const isApplied = ({ applied }: KubernetesFile): boolean => applied !== "by-hand";

function applySection(files: readonly KubernetesFile[], deployment: Deployment, cluster: Cluster): string {
  const [namespace, ...others] = files.filter((file) => isApplied(file));
  const references = secretsOf(deployment, cluster);
  return [
    "## Order",
    block([
      ...(namespace === undefined ? [] : [kubectl("apply", "-f", namespace.path)]),
      ...(references.length === 0 ? [] : ["# The Secret, see below."]),
      ...others.flatMap((file) => [kubectl("apply", "-f", file.path), ...waitFor(file, cluster)]),
    ]),
    ...(cluster.kustomize
      ? [
          "All of it in one step, once the Secret is there: `kubectl apply -k .`, or this folder as a base of your own.",
        ]
      : []),
    ...secretSection(references, deployment, cluster),
    ...(cluster.imagePullSecret === undefined
      ? []
      : [
          `Images are pulled with the Secret \`${cluster.imagePullSecret}\` of the namespace, which has to be there (\`kubectl create secret docker-registry\`).`,
        ]),
  ].join("\n\n");
}

/** A Job that waits for its owner's word: waiting for its end would take for ever. */
const isSuspended = (object: KubernetesObject): boolean =>
  "spec" in object &&
  typeof object.spec === "object" &&
  object.spec !== null &&
  "suspend" in object.spec &&
  object.spec.suspend === true;

/** What comes later needs what a Job does: a disk that is mounted, weights that are whole. */
const waitFor = ({ objects }: KubernetesFile, { namespace }: Cluster): readonly string[] =>
  objects
    .filter((object) => object.kind === "Job" && !isSuspended(object))
    .map(({ metadata }) =>
      kubectl(
        "-n",
        namespace,
        "wait",
        "--for=condition=complete",
        "--timeout=24h",
        `job/${metadata?.name ?? ""}`,
      ),
    );

/** The value as the shell has it, without the newline that ends a file; it never stands on a command line. */
const valueOf = ({ env, file }: SecretReference): string =>
  env === undefined ? `"$(cat ${shellWord(`./${file ?? ""}`.replace(/^\.\/\//, "/"))})"` : `"$${env}"`;

function secretSection(
  references: readonly SecretReference[],
  deployment: Deployment,
  cluster: Cluster,
): readonly string[] {
  if (references.length === 0) return [];
  const name = secretName(deployment);
  const create = kubectl("-n", cluster.namespace, "create", "secret", "generic", name);
  return [
    `## The Secret \`${name}\``,
    "Omni never writes the value of a secret. In bash, where the variables are set and the files lie as omni.yaml names them (the values do not show up in the list of processes):",
    block([
      `${create} \\`,
      ...references.map(
        (reference) =>
          `  --from-file=${shellWord(secretKey(reference))}=<(printf %s ${valueOf(reference)}) \\`,
      ),
      "  --dry-run=client -o yaml | kubectl apply -f -",
    ]),
    `A changed secret reaches a pod when it starts again: \`kubectl -n ${cluster.namespace} rollout restart deployment NAME\`.`,
  ];
}

const cell = (text: string): string => markdownText(text).replaceAll("|", "\\|");

function filesSection(files: readonly KubernetesFile[], values: readonly Artifact[]): string {
  const rows = files.map(({ path, objects, reason }) => {
    const kinds = objects.map(({ kind, metadata }) => `${kind ?? ""} ${metadata?.name ?? ""}`);
    return `| ${cell(path)} | ${cell(kinds.join(", "))} | ${cell(reason)} |`;
  });
  const charts = values.map(
    ({ path, reason }) => `| ${cell(path)} | values of a Helm chart | ${cell(reason)} |`,
  );
  const table = ["| file | objects | why |", "|---|---|---|", ...rows, ...charts];
  return ["## Files", table.join("\n")].join("\n\n");
}

function byHandSection(files: readonly KubernetesFile[]): string {
  const byHand = files.filter((file) => !isApplied(file));
  if (byHand.length === 0) return "";
  return [
    "## By hand",
    "These are not part of the order above: read the top of the file first, it says when.",
    block(byHand.map(({ path }) => kubectl("apply", "-f", path))),
  ].join("\n\n");
}

function addressesSection(deployment: Deployment, cluster: Cluster): string {
  const node = cluster.nodes.find(({ address }) => address !== undefined)?.address ?? "NODE";
  const outside = (port: number | undefined): string => (port === undefined ? "" : `http://${node}:${port}`);
  const { gateway } = deployment;
  const inside = (name: string): string => `http://${name}.${cluster.namespace}.svc:${gateway.port}`;
  const rows = [
    ...(hasGateway(deployment, cluster)
      ? [
          ["gateway", `${inside(gatewayName(deployment))}/v1`, outside(gateway.nodePort)],
          ...(gateway.mcp ? [["MCP", `${inside(mcpName(deployment))}/mcp`, outside(gateway.nodePort)]] : []),
        ]
      : []),
    ...servicesOf(deployment, cluster).map((service) => [
      `${service.name}${service.refused === undefined ? "" : " (refused by the plan, 0 replicas)"}`,
      engineAddress(service, cluster),
      outside(service.nodePort),
    ]),
  ];
  if (rows.length === 0) return "";
  const table = ["| what | in the cluster | from outside |", "|---|---|---|"];
  return [
    "## Addresses",
    [...table, ...rows.map((row) => `| ${row.map((text) => cell(text)).join(" | ")} |`)].join("\n"),
  ].join("\n\n");
}

function checksSection(deployment: Deployment, cluster: Cluster): string {
  const started = servicesOf(deployment, cluster).filter(({ refused }) => refused === undefined);
  const running = started.filter((service) => !spansMachines(service));
  const isolated = new Set(isolatedNetworks(deployment, cluster).map(({ name }) => name));
  const barred = running.find(({ networks }) => networks.some((network) => isolated.has(network)));
  const inside = (name: string, ...words: readonly string[]): string =>
    kubectl("-n", cluster.namespace, "exec", `deploy/${name}`, "--", ...words);
  const onCards = running.find(({ cards }) => cards.length > 0);
  return [
    "## Does it work?",
    block([
      kubectl("-n", cluster.namespace, "get", "pods", "-o", "wide"),
      ...running.map(({ name, loadTimeout }) =>
        kubectl(
          "-n",
          cluster.namespace,
          "rollout",
          "status",
          `deployment/${name}`,
          `--timeout=${Math.ceil(loadTimeout / 1000) + 600}s`,
        ),
      ),
      ...(running.length === started.length
        ? []
        : [kubectl("-n", cluster.namespace, "get", "leaderworkersets.leaderworkerset.x-k8s.io")]),
      ...(onCards === undefined
        ? []
        : ["# Exactly the cards of the spec:", inside(onCards.name, "nvidia-smi", "-L")]),
      ...(barred === undefined
        ? []
        : [
            "# Has to fail: an answer means that nothing enforces the network policies.",
            inside(barred.name, "curl", "-m", "5", "-sI", "https://1.1.1.1"),
          ]),
    ]),
  ].join("\n\n");
}
