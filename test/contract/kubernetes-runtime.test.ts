import { afterAll, beforeAll } from "vitest";
import { FakeKubernetes } from "../fakes/kubernetes-api.ts";
import { KUBECONFIG_VARIABLE, subject } from "./kubernetes-subject.ts";
import { runtimeContract } from "./runtime.ts";

let cluster: FakeKubernetes | undefined;

beforeAll(async () => {
  cluster = await FakeKubernetes.start();
  process.env[KUBECONFIG_VARIABLE] = cluster.kubeconfig();
});

afterAll(async () => {
  delete process.env[KUBECONFIG_VARIABLE];
  await cluster?.close();
});

runtimeContract(subject, new URL("kubernetes-subject.ts", import.meta.url).href);
