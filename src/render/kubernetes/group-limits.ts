import { isOlderThan } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { Cluster, DeployedService } from "../../deployment/index.ts";
import { servicePath } from "./labels.ts";

export type GroupRole = "leader" | "worker";

/** Where the processes of an engine meet; any free port of the leader. */
const MEETING_PORT = 20_000;
/** First vLLM that spans nodes without Ray. Source: vllm-project/vllm#23691. */
const VLLM_FROM = "0.12.0";

/** What an engine is told to be one of several; `$(NAME)` is replaced by the kubelet from what the controller sets. */
const WORDS: Readonly<Record<string, (nodes: number, role: GroupRole) => readonly string[]>> = {
  vllm: (nodes, role) => [
    "--nnodes",
    `${nodes}`,
    "--node-rank",
    "$(LWS_WORKER_INDEX)",
    "--master-addr",
    "$(LWS_LEADER_ADDRESS)",
    "--master-port",
    `${MEETING_PORT}`,
    ...(role === "worker" ? ["--headless"] : []),
  ],
  sglang: (nodes) => [
    "--nnodes",
    `${nodes}`,
    "--node-rank",
    "$(LWS_WORKER_INDEX)",
    "--dist-init-addr",
    `$(LWS_LEADER_ADDRESS):${MEETING_PORT}`,
  ],
};

/** The words that make a pod one of several; none for an engine that cannot. */
export const groupWords = (kind: string, nodes: number, role: GroupRole): readonly string[] =>
  WORDS[kind]?.(nodes, role) ?? [];

/** Why a group cannot run as written, and what its owner should know. The first part is the leader's. */
export function groupDiagnostics(
  service: DeployedService,
  parts: readonly DeployedService[],
  cluster: Cluster,
): Diagnostic[] {
  return [...cannot(service, parts.slice(1), cluster), ...withoutNode(parts)];
}

function cannot(
  service: DeployedService,
  workers: readonly DeployedService[],
  cluster: Cluster,
): Diagnostic[] {
  const path = servicePath(service);
  const error = (message: string, hint: string): Diagnostic => ({
    code: "render.not-applicable",
    severity: "error",
    path,
    message,
    hint,
    source: "kubernetes-sigs/lws",
  });
  const { kind, planned, engineVersion } = service;
  const found: Diagnostic[] = [];
  if (WORDS[kind] === undefined)
    found.push(
      error(
        `${service.name} (${kind}) has cards in ${workers.length + 1} machines, and ${kind} does not span machines; it is rendered with 0 replicas.`,
        "devices: cards of one machine, or engine: vllm or sglang",
      ),
    );
  const version = engineVersion ?? planned.engine.version;
  if (kind === "vllm" && isOlderThan(VLLM_FROM, version, service.image))
    found.push(
      error(
        `vLLM ${version} spans machines only through a Ray cluster of its own; it is rendered with 0 replicas.`,
        `engines.${planned.engine.name}.version: "${VLLM_FROM}" or later`,
      ),
    );
  if (workers.length > 1 && cluster.pinning === "uuid")
    found.push(
      error(
        `${service.name} has ${workers.length} workers, which share one template, and pinning: uuid would need a template for each; it is rendered with 0 replicas.`,
        "runtime.kubernetes.pinning: device-plugin or dra",
      ),
    );
  if (new Set(workers.map(({ cards }) => cards.length)).size > 1)
    found.push(
      error(
        `The workers of ${service.name} have ${workers.map(({ cards }) => cards.length).join(", ")} cards, and they share one template; it is rendered with 0 replicas.`,
        "devices: as many cards of each machine",
      ),
    );
  if (service.options.command !== undefined)
    found.push({
      ...error(
        `The command of ${service.name} is its owner's; the words that make it one of ${workers.length + 1} machines are put after it.`,
        "Leave command away, or see that it takes them.",
      ),
      severity: "warning",
    });
  return found;
}

const withoutNode = (parts: readonly DeployedService[]): Diagnostic[] =>
  parts.flatMap(({ name, machine, node }) =>
    node === undefined
      ? [
          {
            code: "render.needs-value",
            severity: "warning",
            path: "guest.kubernetes.nodes",
            message: `No node of the cluster is known to run on ${machine ?? "the machine"}, so nothing keeps that part of ${name} on it.`,
            hint: `nodes: { NODE: { machine: ${machine ?? "…"} } }`,
          } as const,
        ]
      : [],
  );
