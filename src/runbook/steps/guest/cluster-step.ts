import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { OmniError } from "../../../core/index.ts";
import type { Cluster } from "../../../deployment/index.ts";
import { ApiClient } from "../../../runtimes/kubernetes/api-client.ts";
import { clusterAccess } from "../../../runtimes/kubernetes/cluster-access.ts";
import { clusterFault } from "../../../runtimes/kubernetes/cluster-fault.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { Observation, Step, StepContext } from "../../step.ts";
import { accessOf } from "../kubernetes/index.ts";

/** Milliseconds for nodes to join and become ready. */
const JOIN = 20 * 60_000;
const ASK_AGAIN = 2000;
/** Resource under which the device plugin offers cards. */
const GPU_RESOURCE = "nvidia.com/gpu";

const NODES = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z.object({
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        allocatable: z.record(z.string(), z.string()).default({}),
      }),
    }),
  ),
});
type Nodes = z.infer<typeof NODES>["items"];

/** `cluster/NAME`: its API answers and its nodes are ready; how many cards each offers is told. */
export function clusterStep(cluster: Cluster, input: RunbookInput): Step {
  const { name, guest, nodes } = cluster;
  const names = nodes.map((node) => node.name);
  const wait = (context: StepContext): Promise<void> => untilReady(context, cluster, input);
  return {
    id: `cluster/${name}`,
    phase: "guest",
    title: `Cluster ${name}: ${names.join(", ")} ready`,
    asked: guest === undefined ? "runtime.kubernetes" : `guests.${guest}.kubernetes`,
    needs: guest === undefined ? [] : [`talos/${guest}`],
    inputs: { nodes: names },
    timeout: JOIN,
    verify: () => look(cluster, input),
    apply: wait,
    preview: [`wait until ${names.join(", ")} are Ready by the Kubernetes API`],
  };
}

async function look(cluster: Cluster, input: RunbookInput): Promise<Observation> {
  const seen = await nodesOf(cluster, input);
  const missing = cluster.nodes.flatMap(({ name }) => faultOf(name, seen));
  if (missing.length > 0) return { done: false, missing: missing.join("; ") };
  return {
    done: true,
    evidence: cluster.nodes.map(({ name }) => {
      const cards = seen.find(({ metadata }) => metadata.name === name)?.status.allocatable[GPU_RESOURCE];
      return `node ${name}: Ready, ${cards === undefined ? `offers no ${GPU_RESOURCE}` : `${GPU_RESOURCE}: ${cards}`}`;
    }),
  };
}

function faultOf(name: string, seen: Nodes): readonly string[] {
  const node = seen.find(({ metadata }) => metadata.name === name);
  if (node === undefined)
    return [
      `there is no node ${name} (there: ${seen.map(({ metadata }) => metadata.name).join(", ") || "none"})`,
    ];
  const ready = node.status.conditions.find(({ type }) => type === "Ready")?.status;
  return ready === "True" ? [] : [`node ${name} is not Ready`];
}

/** Throws `OmniError` `cluster.*` where the cluster cannot be asked. */
async function nodesOf(cluster: Cluster, { workFolder }: RunbookInput): Promise<Nodes> {
  const access = await clusterAccess(accessOf(cluster, workFolder));
  const asked = {
    verb: "list",
    group: "",
    resource: "nodes",
    namespace: "",
    purpose: "see its nodes",
  } as const;
  const answer = await new ApiClient(access).json({ path: "/api/v1/nodes" }).catch((error: unknown) => {
    throw clusterFault(error, asked, access.server);
  });
  return NODES.parse(answer).items;
}

/** A new cluster's API comes and goes for a while; only the limit of the step ends the waiting. */
async function untilReady(context: StepContext, cluster: Cluster, input: RunbookInput): Promise<void> {
  for (;;) {
    const seen = await look(cluster, input).catch((thrown: unknown) => {
      if (thrown instanceof OmniError && thrown.code === "cluster.unreachable")
        return { done: false, missing: thrown.message } as const;
      throw thrown;
    });
    if (seen.done) return;
    context.progress({ done: 0, unit: "steps", text: seen.missing });
    await sleep(ASK_AGAIN, undefined, { signal: context.signal });
  }
}
