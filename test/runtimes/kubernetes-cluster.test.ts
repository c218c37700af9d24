import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import { ApiClient } from "../../src/runtimes/kubernetes/api-client.ts";
import { clusterAccess } from "../../src/runtimes/kubernetes/cluster-access.ts";
import { createKubernetesRuntime } from "../../src/runtimes/kubernetes/index.ts";
import { engineObjects } from "../fakes/kubernetes-api/engine-objects.ts";
import { refusal } from "./kubernetes-bench.ts";

const KUBECONFIG = process.env["KUBECONFIG"] ?? "";
const NAMESPACE = process.env["OMNI_TEST_NAMESPACE"] ?? "default";
const WHY = KUBECONFIG === "" ? " (skipped: KUBECONFIG names no cluster)" : "";
const NAME = `omni-test-${randomUUID().slice(0, 8)}`;
const PATH = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${NAME}`;

const runtime = createKubernetesRuntime({ kubeconfig: KUBECONFIG, namespace: NAMESPACE, node: NAME });

const launch: LaunchSpec = {
  service: NAME,
  command: ["sh", "-c", "trap 'exit 0' TERM; echo talking; sleep 1000 & wait"],
  environment: {},
  address: { kind: "tcp", host: "127.0.0.1", port: 1 },
  loadTimeout: 120_000,
  digest: "a digest",
};
const objects = engineObjects(launch, { image: "docker.io/library/busybox:1.37" });

/** Only what this test made is written or removed: one Deployment and one Service of a name of its own. */
describe.skipIf(KUBECONFIG === "")(`a real API server${WHY}`, () => {
  afterEach(async () => {
    await runtime.close();
    const client = new ApiClient(await clusterAccess({ kubeconfig: KUBECONFIG }));
    await client.json({ method: "DELETE", path: PATH }).catch(() => {});
    const service = `/api/v1/namespaces/${NAMESPACE}/services/${NAME}`;
    await client.json({ method: "DELETE", path: service }).catch(() => {});
  });

  test(
    "applies, follows, refuses another manager's field, and leaves no replicas",
    { timeout: 240_000 },
    async () => {
      const unit = await runtime.start({ ...launch, objects });
      expect((await runtime.survivors()).map(({ id, digest }) => [id, digest])).toEqual([
        [unit.id, "a digest"],
      ]);
      expect(await unit.stop(20_000)).toEqual({ code: 0, signal: null });
      expect(unit.lastLines()).toContain("talking");
      expect(await runtime.survivors()).toEqual([]);

      const client = new ApiClient(await clusterAccess({ kubeconfig: KUBECONFIG }));
      await client.json({
        method: "PATCH",
        path: PATH,
        query: { fieldManager: "somebody" },
        contentType: "application/merge-patch+json",
        body: { spec: { revisionHistoryLimit: 7, template: { spec: { terminationGracePeriodSeconds: 7 } } } },
      });
      const error = await refusal(runtime.start({ ...launch, objects }));
      expect(error.code).toBe("cluster.conflict");
      expect(error.message).toContain("terminationGracePeriodSeconds (somebody)");
      expect(error.message).not.toContain("revisionHistoryLimit");
    },
  );
});
