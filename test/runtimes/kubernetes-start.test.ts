import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createKubernetesRuntime } from "../../src/runtimes/kubernetes/index.ts";
import { eventually } from "../fakes/alive.ts";
import { kubernetesBench, refusal } from "./kubernetes-bench.ts";

const bench = kubernetesBench();

/** Pods have addresses of their own in 127.0.0.0/8. */
describe.skipIf(process.platform !== "linux")("a start in a cluster", () => {
  test("applies what belongs to the workload first, under the field manager, with marks and without secrets", async () => {
    const { cluster, runtime, launch } = bench();
    const spec = await launch();
    await runtime.start({ ...spec, environment: { HF_TOKEN: "hf_secret" } });
    const applied = cluster.requests.filter(({ method }) => method === "PATCH");
    expect(applied.map(({ path }) => path.split("/").slice(-2).join("/"))).toEqual([
      "services/oracle",
      "deployments/oracle",
    ]);
    expect(applied.every(({ query }) => query["fieldManager"] === "omni" && query["force"] === "false")).toBe(
      true,
    );
    const workload = cluster.store.get("deployments", "oracle");
    expect(workload?.metadata.annotations).toMatchObject({
      "omni.internal/service-name": "oracle",
      "omni.internal/digest": spec.digest,
    });
    expect(workload?.metadata.labels?.["omni.internal/node"]).toMatch(/^srv-omni-state-[0-9a-f]{8}$/);
    expect(workload?.spec).toMatchObject({
      replicas: 1,
      selector: { matchLabels: { "app.kubernetes.io/instance": "oracle" } },
    });
    const all = [...cluster.store.list("deployments"), ...cluster.store.list("services"), ...cluster.pods()];
    expect(JSON.stringify(all)).not.toContain("hf_secret");
  });

  test("tells an owner why a pod has no place, and gives up with the scheduler's words", async () => {
    const { runtime, launch, cluster } = bench();
    const told: string[] = [];
    const spec = await launch({}, { cards: 2 });
    const error = await refusal(
      runtime.start({ ...spec, loadTimeout: 300 }, ({ message }) => told.push(message)),
    );
    expect(error.code).toBe("engine.not-started");
    expect(error.message).toContain("Insufficient nvidia.com/gpu (2 wanted, 0 there)");
    expect(told.some((message) => message.includes("0/1 nodes are available"))).toBe(true);
    expect(cluster.pods()).toEqual([]);
    expect(cluster.store.get("deployments", "oracle")?.spec?.["replicas"]).toBe(0);
  });

  test("an image that is not there ends the start with the kubelet's words", async () => {
    const { runtime, launch, cluster } = bench();
    const error = await refusal(runtime.start(await launch({}, { image: "missing/engine:9" })));
    expect(error.code).toBe("engine.no-image");
    expect(error.message).toContain("failed to resolve reference: missing/engine:9: not found");
    expect(cluster.pods()).toEqual([]);
  });

  test("a pull is told and costs no patience", async () => {
    const { runtime, launch, cluster } = bench();
    const told: string[] = [];
    const spec = await launch({}, { image: "slow/engine:1" });
    const starting = runtime.start({ ...spec, loadTimeout: 50 }, ({ message }) => told.push(message));
    await eventually("the pull is told", () =>
      told.some((words) => words.includes('Pulling image "slow/engine:1"')),
    );
    cluster.kubelet.finishPull("slow/engine:1");
    expect(await starting).toMatchObject({ service: "oracle", adopted: false });
  });

  test("a Secret that its owner has not made is named", async () => {
    const { runtime, launch } = bench();
    const error = await refusal(runtime.start(await launch({}, { secret: "omni-secrets" })));
    expect(error).toMatchObject({ code: "engine.not-started" });
    expect(error.message).toContain('secret "omni-secrets" not found');
    expect(error.hint).toContain("owner's to make");
  });

  test("closing ends a start that waits", async () => {
    const { runtime, launch } = bench();
    const starting = refusal(runtime.start(await launch({}, { image: "slow/engine:2" })));
    await eventually("it waits", () => bench().cluster.pods().length === 1);
    await runtime.close();
    expect(await starting).toMatchObject({ code: "engine.not-started" });
  });

  test("a quota is told in the controller's words", async () => {
    const { runtime, launch, cluster } = bench();
    cluster.controllers.refusal = 'pods "oracle-1" is forbidden: exceeded quota: gpus';
    const error = await refusal(runtime.start({ ...(await launch()), loadTimeout: 200 }));
    expect(error.message).toContain("exceeded quota: gpus");
  });

  test("a field of another manager is a refusal that names both; with force it is taken over", async () => {
    const { runtime, launch, cluster, another } = bench();
    await (await runtime.start(await launch())).stop(0);
    const before = cluster.store.get("deployments", "oracle");
    if (before === undefined) throw new Error("there is no workload");
    cluster.store.put("deployments", {
      ...before,
      metadata: {
        ...before.metadata,
        managedFields: [
          { manager: "flux", operation: "Apply", paths: [".spec.replicas", ".spec.strategy.type"] },
        ],
      },
    });
    const error = await refusal(runtime.start(await launch()));
    expect(error.code).toBe("cluster.conflict");
    expect(error.message).toContain(".spec.replicas (flux)");
    expect(error.message).not.toContain("strategy");
    expect(error.hint).toContain("flux");
    const forcing = another({ force: true });
    const unit = await forcing.start(await launch());
    expect(cluster.store.get("deployments", "oracle")?.spec?.["replicas"]).toBe(1);
    await unit.stop(0);
  });

  test("what an earlier stop of ours left is no conflict", async () => {
    const { start } = bench();
    await (await start()).stop(0);
    const again = await start();
    await again.stop(0);
    expect(again.adopted).toBe(false);
  });

  test("credentials that may not apply are told the rule that allows it", async () => {
    const { cluster, launch, runtime } = bench();
    cluster.denied.add("patch deployments");
    const error = await refusal(runtime.start(await launch()));
    expect(error.code).toBe("cluster.forbidden");
    expect(error.message).toContain("To start oracle, Omni must patch deployments in omni-test");
    expect(error.hint).toContain('{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] }');
  });

  test("a Secret among the objects is refused, and nothing is written", async () => {
    const { cluster, launch, runtime } = bench();
    const spec = await launch();
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "keys" } };
    const error = await refusal(runtime.start({ ...spec, objects: [...(spec.objects ?? []), secret] }));
    expect(error.message).toContain("Secret (keys)");
    expect(cluster.requests.filter(({ method }) => method === "PATCH")).toEqual([]);
  });
});

describe("the way to a cluster", () => {
  test("an ended token, another namespace and an absent server are told apart", async () => {
    const { cluster, runtime, another, launch } = bench();
    const spec = await launch();
    const elsewhere = await refusal(another({ namespace: "nowhere" }).start(spec));
    expect(elsewhere).toMatchObject({ code: "cluster.refused" });
    expect(elsewhere.hint).toContain("kubectl create namespace nowhere");
    cluster.token = "renewed";
    expect(await refusal(another().survivors())).toMatchObject({ code: "cluster.unauthorized" });
    await cluster.away();
    const away = await refusal(another().survivors());
    expect(away).toMatchObject({ code: "cluster.unreachable" });
    expect(away.message).toContain("ECONNREFUSED");
    await runtime.close();
  });

  test("a missing kubeconfig, an unknown context and plain HTTP are told", async () => {
    const folder = mkdtempSync(join(tmpdir(), "omni-kubeconfig-"));
    const at = (options: { kubeconfig: string; context?: string }): Promise<unknown> =>
      refusal(createKubernetesRuntime({ ...options, namespace: "ai", node: "n" }).survivors());
    expect(await at({ kubeconfig: join(folder, "none") })).toMatchObject({ code: "cluster.no-config" });
    expect(await at({ kubeconfig: bench().cluster.kubeconfig(), context: "prod" })).toMatchObject({
      code: "cluster.no-config",
      hint: "It has: test.",
    });
    const plain = join(folder, "plain");
    const cluster = { name: "c", cluster: { server: "http://10.0.0.1" } };
    const context = { name: "x", context: { cluster: "c", user: "u" } };
    const config = {
      clusters: [cluster],
      users: [{ name: "u", user: {} }],
      contexts: [context],
      "current-context": "x",
    };
    writeFileSync(plain, JSON.stringify(config));
    const error = await refusal(
      createKubernetesRuntime({ kubeconfig: plain, namespace: "ai", node: "n" }).survivors(),
    );
    expect(error.message).toContain("plain HTTP");
    rmSync(folder, { recursive: true });
  });
});
