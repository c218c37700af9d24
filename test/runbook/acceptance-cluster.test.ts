import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { judgeIsolation } from "../../src/acceptance/index.ts";
import type { DeployedService } from "../../src/deployment/index.ts";
import { localTransport } from "../../src/host/transport/index.ts";
import { selectorOf, serviceLabelled } from "../../src/render/kubernetes/labels.ts";
import { ClusterApi } from "../../src/runbook/cluster/cluster-api.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import { clusterProbe } from "../../src/runbook/steps/acceptance/cluster-probe.ts";
import { eventually } from "../e2e/run-node.ts";
import { FakeKubernetes } from "../fakes/kubernetes-api.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { memoryContext } from "../fakes/step-context.ts";

/** Stands for an engine: takes connections at its pod's address. */
const ENGINE = `require("node:net").createServer((socket) => socket.destroy()).listen(8080, process.env.POD_IP);`;

let folder = "";
let cluster: FakeKubernetes;
const kept = process.env["KUBECONFIG"];
const world = createServer((socket) => socket.destroy());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "omni-cluster-probe-"));
  cluster = await FakeKubernetes.start({ namespace: "ai" });
  process.env["KUBECONFIG"] = cluster.kubeconfig();
  writeFileSync(join(folder, "engine.cjs"), ENGINE);
  world.listen(0, "127.0.0.1");
  await once(world, "listening");
});

afterEach(async () => {
  if (kept === undefined) delete process.env["KUBECONFIG"];
  else process.env["KUBECONFIG"] = kept;
  world.close();
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});

const portOfWorld = (): number => {
  const address = world.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const inputOf = (endpoint: string): Promise<RunbookInput> =>
  runbookInput(
    `
omni: 1
name: shed
metal: { cpu: { cores: 16 }, memory: { size: 64GiB } }
guest: { address: 127.0.0.1, kubernetes: { version: "1.35.0", cni: cilium, nodes: { shed-0: { address: 127.0.0.1 } } } }
runtime: { kind: kubernetes, kubernetes: { namespace: ai } }
models:
  small: { source: { hub: owner/model, files: "*Q4_K_M*", endpoint: "${endpoint}" }, format: gguf, family: Qwen3-0.6B, quantization: Q4_K_M, store: { path: /srv/small } }
networks: { brain: { isolation: no-outbound } }
services: { small: { model: small, engine: llama.cpp, devices: cpu, context: 4096, networks: [brain] } }
keys: { owner: { env: OMNI_KEY } }
`,
    { workFolder: folder },
  );

function serviceOf({ deployment }: RunbookInput): DeployedService {
  const [service] = deployment.services;
  if (service === undefined) throw new Error("no service");
  return service;
}

/** A pod of the service, as its workload would make one. */
async function startPod(service: DeployedService): Promise<void> {
  const labels = selectorOf(serviceLabelled(service));
  const api = await ClusterApi.open();
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "small-0", namespace: "ai", labels },
    spec: {
      containers: [
        {
          name: "engine",
          image: "engine:1",
          command: [process.execPath, join(folder, "engine.cjs")],
          env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
          ports: [{ name: "http", containerPort: 8080 }],
        },
      ],
    },
  };
  await api.apply(pod);
  await eventually(async () => (await api.pods("ai", labels))[0]?.phase === "Running");
  // Its process runs before it listens.
  const host = (await api.pods("ai", labels))[0]?.ip ?? "";
  await eventually(() => isListening(host, 8080));
}

const isListening = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

async function probed(endpoint: string) {
  const input = await inputOf(endpoint);
  const service = serviceOf(input);
  await startPod(service);
  return clusterProbe(input, service, memoryContext({ hosts: { "": localTransport() } }));
}

it("probes from pods of its own beside the service's, and leaves none of them", async () => {
  const seen = await probed(`http://127.0.0.1:${portOfWorld()}`);
  expect(seen).toMatchObject({ targets: [{ what: "itself", port: 8080 }, { what: "outside" }] });
  if (typeof seen === "string") throw new Error(seen);
  // Pods of this cluster are processes of this machine: nothing keeps them in.
  expect(judgeIsolation(seen.targets, seen.inside, seen.control).state).toBe("broken");
  const made = cluster.requests.filter(
    ({ method, path }) => method === "PATCH" && path.includes("omni-probe"),
  );
  expect(made.map(({ path }) => path)).toEqual([
    "/api/v1/namespaces/ai/pods/omni-probe-in",
    "/api/v1/namespaces/ai/pods/omni-probe-out",
  ]);
  expect(cluster.store.get("pods", "omni-probe-in")).toBeUndefined();
  expect(cluster.store.get("pods", "omni-probe-out")).toBeUndefined();
  expect(cluster.store.get("pods", "small-0")).toBeDefined();
});

it("takes nobody's silence for a wall, and says why where there is nothing to probe", async () => {
  const seen = await probed("http://127.0.0.1:9");
  if (typeof seen === "string") throw new Error(seen);
  expect(judgeIsolation(seen.targets, seen.inside, seen.control)).toMatchObject({
    state: "unproven",
    lines: [expect.stringContaining("is reached"), expect.stringContaining("not proven: nobody answers")],
  });
  cluster.store.remove("pods", "small-0");
  const input = await inputOf("http://127.0.0.1:9");
  const context = memoryContext({ hosts: { "": localTransport() } });
  expect(await clusterProbe(input, serviceOf(input), context)).toBe("small has no pod that runs.");
});
