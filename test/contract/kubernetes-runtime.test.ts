import { afterAll, beforeAll } from "vitest";
import { FakeKubernetes } from "../fakes/kubernetes-api.ts";
import { KUBECONFIG_VARIABLE, subject } from "./kubernetes-subject.ts";
import { runtimeContract } from "./runtime.ts";

/** A cluster whose nodes run commands of this machine may be named from outside. */
const named = process.env[KUBECONFIG_VARIABLE] !== undefined;
let cluster: FakeKubernetes | undefined;

beforeAll(async () => {
  if (named) return;
  cluster = await FakeKubernetes.start();
  process.env[KUBECONFIG_VARIABLE] = cluster.kubeconfig();
});

afterAll(async () => {
  if (!named) delete process.env[KUBECONFIG_VARIABLE];
  await cluster?.close();
});

runtimeContract(subject, new URL("kubernetes-subject.ts", import.meta.url).href);
