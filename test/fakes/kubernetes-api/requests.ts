import type { IncomingMessage, ServerResponse } from "node:http";

/** What a path of the API asks for. */
export interface Target {
  readonly group: string;
  readonly namespace: string;
  readonly plural: string;
  readonly name: string | undefined;
  /** `log`, `portforward`, `proxy`; empty for the object itself. */
  readonly part: string;
  /** What follows `proxy`. */
  readonly rest: string;
}

const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+\/namespaces\/(?<namespace>[^/]+)\/(?<plural>[^/]+)(?:\/(?<name>[^/]+)(?:\/(?<part>[^/]+)(?<rest>\/.*)?)?)?$/;

/** Objects of no namespace. */
const WHOLE_CLUSTER =
  /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+\/(?<plural>namespaces|nodes|persistentvolumes|runtimeclasses)(?:\/(?<name>[^/]+))?$/;

export function targetOf(path: string): Target | undefined {
  const groups = (PATH.exec(path) ?? WHOLE_CLUSTER.exec(path))?.groups;
  if (groups === undefined) return undefined;
  const { group = "", namespace = "", plural = "", name, part = "", rest = "" } = groups;
  return { group, namespace, plural, name, part, rest };
}

export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export const statusBody = (
  code: number,
  reason: string,
  message: string,
  causes: readonly unknown[] = [],
): unknown => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  message,
  details: { causes },
});

/** Refuses as an API server does, with a `Status`. */
export function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  causes: readonly unknown[] = [],
): void {
  answer(response, code, statusBody(code, reason, message, causes));
}

/** Kinds that the cluster knows, by the path of their version. */
export const DISCOVERY: Readonly<
  Record<string, readonly (readonly [plural: string, kind: string, whole?: "cluster"])[]>
> = {
  "/api/v1": [
    ["namespaces", "Namespace", "cluster"],
    ["nodes", "Node", "cluster"],
    ["persistentvolumes", "PersistentVolume", "cluster"],
    ["persistentvolumeclaims", "PersistentVolumeClaim"],
    ["secrets", "Secret"],
    ["pods", "Pod"],
    ["services", "Service"],
    ["configmaps", "ConfigMap"],
    ["events", "Event"],
  ],
  "/apis/apps/v1": [
    ["deployments", "Deployment"],
    ["statefulsets", "StatefulSet"],
  ],
  "/apis/batch/v1": [["jobs", "Job"]],
  "/apis/networking.k8s.io/v1": [["networkpolicies", "NetworkPolicy"]],
  "/apis/node.k8s.io/v1": [["runtimeclasses", "RuntimeClass", "cluster"]],
};
