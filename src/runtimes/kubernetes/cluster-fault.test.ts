import { expect, test } from "vitest";
import { ApiError } from "./api-error.ts";
import { clusterFault } from "./cluster-fault.ts";
import { serviceAddress } from "./service-address.ts";

const ASKED = {
  verb: "patch",
  resource: "deployments",
  group: "apps",
  namespace: "ai",
  purpose: "start brain",
} as const;
const faultOf = (error: unknown) => clusterFault(error, ASKED, "https://10.0.0.1:6443");
const status = (code: number, message: string): ApiError =>
  new ApiError(code, { kind: "Status", code, message, reason: "" });

test.each([
  [
    Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" }),
    "cluster.unreachable",
    "renew it on the control plane",
  ],
  [
    Object.assign(new Error("self-signed"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    "cluster.unreachable",
    "authority of the kubeconfig",
  ],
  [new Error("ssl/tls alert certificate expired"), "cluster.unauthorized", "client certificate"],
  [status(401, "Unauthorized"), "cluster.unauthorized", "does not know who asks"],
  [status(503, "etcd is away"), "cluster.unreachable", "etcd is away"],
  [status(422, "spec.replicas: Invalid value"), "cluster.refused", "Invalid value"],
  [status(403, 'admission webhook "x" denied the request'), "cluster.refused", "denied the request"],
  [status(404, 'namespaces "ai" not found'), "cluster.refused", "namespace ai does not exist"],
])("%s", (error, code, words) => {
  const fault = faultOf(error);
  expect(fault.code).toBe(code);
  expect(fault.message).toContain(words);
});

test("inside the cluster an engine is reached at the port `http` of its Service", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "brain" },
    spec: {
      ports: [
        { name: "grpc", port: 1 },
        { name: "http", port: 8000 },
      ],
    },
  };
  const launch = {
    service: "brain",
    command: ["x"] as const,
    environment: {},
    address: { kind: "tcp", host: "h", port: 1 } as const,
    loadTimeout: 1,
    digest: "",
  };
  expect(serviceAddress({ ...launch, objects: [service] }, "ai")).toEqual({
    host: "brain.ai.svc",
    port: 8000,
  });
  expect(serviceAddress(launch, "ai")).toBeUndefined();
});
