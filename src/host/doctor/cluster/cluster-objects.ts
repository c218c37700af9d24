import { z } from "zod";
import type { ClusterView } from "../check.ts";

const LABELS = z.record(z.string(), z.string()).optional();
const METADATA = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  labels: LABELS,
  annotations: LABELS,
});

const NODE = z.object({
  metadata: METADATA,
  spec: z.object({ unschedulable: z.boolean().optional() }).optional(),
  status: z.object({
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() }))
      .optional(),
    allocatable: z.record(z.string(), z.string()).optional(),
    nodeInfo: z.object({ osImage: z.string(), kubeletVersion: z.string() }).optional(),
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).optional(),
  }),
});
/** A node of a cluster, as far as anything here reads it. */
export type ClusterNodeObject = z.infer<typeof NODE>;

const STATE = z.object({ reason: z.string().optional(), message: z.string().optional() });
const CONTAINERS = z
  .array(
    z.object({
      name: z.string(),
      ready: z.boolean().optional(),
      restartCount: z.number().optional(),
      state: z.object({ waiting: STATE.optional(), running: z.unknown().optional() }).optional(),
    }),
  )
  .optional();
const POD = z.object({
  metadata: METADATA,
  spec: z.object({ nodeName: z.string().optional() }).optional(),
  status: z.object({
    phase: z.string().optional(),
    initContainerStatuses: CONTAINERS,
    containerStatuses: CONTAINERS,
  }),
});
export type ClusterPodObject = z.infer<typeof POD>;

const NAMED = z.object({ metadata: METADATA, handler: z.string().optional() });

/** What was asked of the API server, or why there is no answer. */
export type Asked<T> =
  | { readonly answered: true; readonly found: T }
  | { readonly answered: false; readonly status?: number; readonly message: string };

async function ask<T>(cluster: ClusterView, path: string, schema: z.ZodType<T>): Promise<Asked<T>> {
  const answer = await cluster.get(path);
  if (!answer.answered) return answer;
  const parsed = schema.safeParse(answer.body);
  return parsed.success
    ? { answered: true, found: parsed.data }
    : { answered: false, message: `${path} answers in a form that is not Kubernetes'` };
}

async function askList<T>(
  cluster: ClusterView,
  path: string,
  schema: z.ZodType<T>,
): Promise<Asked<readonly T[]>> {
  const list = await ask(cluster, path, z.object({ items: z.array(schema) }));
  return list.answered ? { answered: true, found: list.found.items } : list;
}

export const serverVersion = (cluster: ClusterView): Promise<Asked<{ gitVersion: string }>> =>
  ask(cluster, "/version", z.object({ gitVersion: z.string() }));

export const nodesOf = (cluster: ClusterView): Promise<Asked<readonly ClusterNodeObject[]>> =>
  askList(cluster, "/api/v1/nodes", NODE);

export const podsOf = (cluster: ClusterView): Promise<Asked<readonly ClusterPodObject[]>> =>
  askList(cluster, "/api/v1/pods", POD);

export const runtimeClassOf = (
  cluster: ClusterView,
  name: string,
): Promise<Asked<{ handler?: string | undefined }>> =>
  ask(cluster, `/apis/node.k8s.io/v1/runtimeclasses/${encodeURIComponent(name)}`, NAMED);

export const namespaceOf = (
  cluster: ClusterView,
  name: string,
): Promise<Asked<{ metadata: z.infer<typeof METADATA> }>> =>
  ask(cluster, `/api/v1/namespaces/${encodeURIComponent(name)}`, NAMED);
