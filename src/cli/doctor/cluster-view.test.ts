import { afterEach, beforeEach, expect, it } from "vitest";
import { FakeKubernetes } from "../../../test/fakes/kubernetes-api.ts";
import { locatedSpec } from "../../../test/fakes/located-spec.ts";
import { clusterView } from "./cluster-view.ts";

let cluster: FakeKubernetes;
beforeEach(async () => {
  cluster = await FakeKubernetes.start({ namespace: "ai" });
});
afterEach(() => cluster.close());

const viewOf = (kubeconfig: string): ReturnType<typeof clusterView> =>
  clusterView(
    locatedSpec(`runtime: { kind: kubernetes, kubernetes: { kubeconfig: ${kubeconfig} } }\n`).spec,
    "/nowhere",
  );

it("asks the cluster of the spec's kubeconfig, with its credentials", async () => {
  const view = viewOf(cluster.kubeconfig());
  expect(await view.get("/api/v1/namespaces/ai/pods")).toMatchObject({ answered: true, body: { items: [] } });
});

it("tells a refusal by its status, and silence by its words", async () => {
  const refused = await viewOf(cluster.kubeconfig("another-token")).get("/api/v1/namespaces/ai/pods");
  expect(refused).toMatchObject({ answered: false, status: 401 });
  expect(JSON.stringify(refused)).not.toContain("another-token");
  const gone = viewOf(cluster.kubeconfig());
  await cluster.away();
  const silent = await gone.get("/version");
  expect(silent).toEqual({ answered: false, message: expect.stringContaining("ECONNREFUSED") });
  await cluster.back();
});

it("says that there is no kubeconfig, and throws nothing", async () => {
  expect(await viewOf("/nowhere/kubeconfig").get("/version")).toEqual({
    answered: false,
    message: expect.stringContaining("/nowhere/kubeconfig"),
  });
});
