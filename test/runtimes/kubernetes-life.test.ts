import { describe, expect, test } from "vitest";
import { eventually } from "../fakes/alive.ts";
import { answering, kubernetesBench } from "./kubernetes-bench.ts";

const bench = kubernetesBench();

const replicas = (): unknown => bench().cluster.store.get("deployments", "oracle")?.spec?.["replicas"];

/** Pods have addresses of their own in 127.0.0.0/8. */
describe.skipIf(process.platform !== "linux")("an engine in a cluster", () => {
  test("one that ended is not started again by Kubernetes: its workload has no replicas before the exit is told", async () => {
    const { cluster, start } = bench();
    const unit = await start({ exitAfterLoad: 7, print: ["first", "last"] });
    expect(await unit.exited).toEqual({ code: 7, signal: null });
    expect(unit.lastLines()).toEqual(["first", "last"]);
    expect(replicas()).toBe(0);
    expect(cluster.pods()).toEqual([]);
    expect(cluster.store.get("services", "oracle")).toBeDefined();
  });

  test("the last words come from the previous container where the kubelet was faster", async () => {
    const { cluster, start, pod } = bench();
    cluster.kubelet.restartDelay = 0;
    const unit = await start({ print: ["up"] });
    await eventually("it has spoken", () => unit.lastLines().length > 0);
    // Nothing is heard while it dies and is started again.
    await cluster.away();
    process.kill(cluster.kubelet.pidOf(pod()) ?? 0, "SIGSEGV");
    await eventually("another runs in its place", () => {
      const [now] = cluster.pods();
      return JSON.stringify(now?.status).includes('"restartCount":1');
    });
    await cluster.back();
    expect(await unit.exited).toEqual({ code: null, signal: "SIGSEGV" });
    expect(unit.lastLines().filter((line) => line === "up")).toEqual(["up"]);
    expect(replicas()).toBe(0);
  });

  test("one that reached its memory limit is told as such", async () => {
    const { cluster, start, pod } = bench();
    const unit = await start();
    cluster.kubelet.outOfMemory(pod());
    expect(await unit.exited).toEqual({ code: 137, signal: null });
    expect(unit.lastLines()).toEqual(["[kubernetes] the container ended with exit code 137, OOMKilled"]);
  });

  test("an eviction is told in the kubelet's words", async () => {
    const { cluster, start, pod } = bench();
    const unit = await start();
    cluster.kubelet.evict(pod(), "The node was low on resource: memory.");
    await unit.exited;
    expect(unit.lastLines().join("\n")).toContain("failed: Evicted: The node was low on resource: memory.");
    expect(replicas()).toBe(0);
  });

  test("a pod that somebody deletes is an end, and no other comes up behind the supervisor's back", async () => {
    const { cluster, start } = bench();
    const unit = await start();
    const [pod] = cluster.pods();
    if (pod !== undefined) cluster.endPod(pod, 5);
    await unit.exited;
    expect(unit.lastLines().join("\n")).toContain("Omni did not ask for that");
    expect(cluster.pods()).toEqual([]);
  });

  test("a pod that takes over while the old one still answers is no end", async () => {
    const { cluster, startReady, notes, pod } = bench();
    const unit = await startReady({}, { rolling: true });
    const first = pod();
    const workload = cluster.store.get("deployments", "oracle");
    if (workload === undefined) throw new Error("there is no workload");
    // As kubectl rollout restart does it: another template, the old pod goes once the new one is ready.
    const spec = structuredClone(workload.spec);
    Object.assign(Object(spec?.["template"]).spec, { restartedAt: "now" });
    cluster.store.put("deployments", { ...workload, ...(spec === undefined ? {} : { spec }) });
    await eventually("the new pod has taken over", () =>
      notes.some((note) => note.includes("has taken over")),
    );
    await eventually("the old pod is gone", () =>
      cluster.pods().every(({ metadata }) => metadata.name !== first),
    );
    await answering(unit);
    expect(await unit.stop(5000)).toEqual({ code: 0, signal: null });
  });

  test("warnings of the cluster are among its lines, a repeated one when its count has doubled", async () => {
    const { cluster, start } = bench();
    const unit = await start();
    const [pod] = cluster.pods();
    if (pod === undefined) throw new Error("there is no pod");
    for (const count of [1, 2, 3, 4])
      cluster.event(pod, "Warning", "Unhealthy", "Readiness probe failed", count);
    cluster.event(pod, "Normal", "Scheduled", "Successfully assigned");
    await eventually("the warnings are heard", () => unit.lastLines().length >= 3);
    expect(unit.lastLines()).toEqual([
      "[kubernetes] Unhealthy: Readiness probe failed",
      "[kubernetes] Unhealthy: Readiness probe failed (2 times)",
      "[kubernetes] Unhealthy: Readiness probe failed (4 times)",
    ]);
  });

  test("a lost node is told, with the risk, and taken off the books only after a minute", async () => {
    const { cluster, start } = bench();
    const unit = await start();
    cluster.kubelet.lost = true;
    let gone = false;
    void unit.stop(0).then(() => (gone = true));
    await eventually(
      "the pod is asked to end",
      () => cluster.pods()[0]?.metadata.deletionGracePeriodSeconds === 1,
    );
    expect(gone).toBe(false);
    cluster.store.remove("pods", cluster.pods()[0]?.metadata.name ?? "");
    expect(await unit.exited).toEqual({ code: null, signal: null });
  });
});

describe.skipIf(process.platform !== "linux")("survivors", () => {
  test("another node's, and those with no replicas, are none of ours", async () => {
    const { another, start, runtime } = bench();
    const unit = await start();
    expect(await another({ node: "/srv/other" }).survivors()).toEqual([]);
    expect((await another().survivors()).map(({ id }) => id)).toEqual([unit.id]);
    await unit.stop(0);
    expect(await runtime.survivors()).toEqual([]);
  });

  test("adopting one that ended meanwhile is a refusal, and touching it writes nothing", async () => {
    const { another, start, cluster, runtime } = bench();
    const unit = await start();
    await runtime.close({ keep: true });
    const later = another();
    const [survivor] = await later.survivors();
    const before = cluster.requests.length;
    const adopted = await survivor?.adopt();
    expect(cluster.requests.slice(before).every(({ method }) => method === "GET")).toBe(true);
    expect(adopted).toMatchObject({
      id: unit.id,
      startedAt: unit.startedAt,
      address: unit.address,
      adopted: true,
    });
    await adopted?.stop(0);
    await expect(survivor?.adopt()).rejects.toThrow("ended in the cluster before it was taken over");
  });
});
