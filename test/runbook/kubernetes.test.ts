import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { kubernetesSteps } from "../../src/runbook/steps/kubernetes/index.ts";
import type { Step } from "../../src/runbook/step.ts";
import { DownloadHub } from "../fakes/download-hub.ts";
import { FakeKubernetes } from "../fakes/kubernetes-api.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { memoryContext, takeStep } from "../fakes/step-context.ts";

const SECRET = "sk-owner-0123456789";
const WEIGHTS = Buffer.from("weights ".repeat(4096));
/** Stands for llama-server: says that it is well at the port that it is told. */
const WELL = `#!${process.execPath}
const { createServer } = require("node:http");
const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
createServer((_, response) => response.end("{}")).listen(port, process.env.POD_IP);
`;

let folder: string;
let cluster: FakeKubernetes;
let hub: DownloadHub;
const kept = process.env["KUBECONFIG"];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "omni-kubernetes-steps-"));
  cluster = await FakeKubernetes.start({ namespace: "ai", bare: true });
  hub = await DownloadHub.start([{ path: "small-Q4_K_M.gguf", content: WEIGHTS, large: true }]);
  process.env["KUBECONFIG"] = cluster.kubeconfig();
  program(WELL);
});

afterEach(async () => {
  if (kept === undefined) delete process.env["KUBECONFIG"];
  else process.env["KUBECONFIG"] = kept;
  await cluster.close();
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What the engine's image starts. */
function program(text: string): void {
  const path = join(folder, "llama-server");
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  cluster.kubelet.programs.set("/app/llama-server", path);
}

const spec = (context = 4096): string => `
omni: 1
name: shed
metal:
  cpu: { cores: 8, threads: 16 }
  memory: { size: 64GB }
  gpus: { big: { model: RTX 5090, uuid: GPU-aaaaaaaa-0000-4000-8000-000000000001 } }
guest:
  address: 127.0.0.1
  kubernetes: { version: "1.35.0", nodes: { shed-0: { address: 127.0.0.1, gpus: [big] } } }
runtime:
  { kind: kubernetes, kubernetes: { namespace: ai, podSecurity: privileged, weights: host-path } }
models:
  small:
    source: { hub: owner/model, files: "*Q4_K_M*", endpoint: "${hub.endpoint}" }
    format: gguf
    family: Qwen3-0.6B
    quantization: Q4_K_M
    store: { path: ${folder}/models/small }
engines:
  { llama: { kind: llama.cpp, image: "ghcr.io/ggml-org/llama.cpp:server-cuda-b9246", architectures: ["12.0"] } }
services: { small: { model: small, engine: [llama], devices: [big], context: ${context} } }
keys: { owner: { env: OMNI_KEY, admin: true } }
runbook: { downloads: { by: job } }
`;

const stepsOf = async (text = spec()): Promise<Map<string, Step>> => {
  const input = await runbookInput(text, { workFolder: folder, secrets: { OMNI_KEY: SECRET } });
  return new Map(kubernetesSteps(input).map((step) => [step.id, step]));
};

const stepOf = (steps: ReadonlyMap<string, Step>, id: string): Step => {
  const step = steps.get(id);
  if (step === undefined) throw new Error(`no ${id} among ${[...steps.keys()].join(", ")}`);
  return step;
};

const context = () => memoryContext({ hosts: {} });

async function takeAll(steps: ReadonlyMap<string, Step>, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const observed = await takeStep(stepOf(steps, id), context());
    expect(observed, id).toMatchObject({ done: true });
  }
}

const BEFORE = ["namespace/shed", "manifest/download-program"];

it("takes a bare cluster to a service that is well, and finds all of it there afterwards", async () => {
  const steps = await stepsOf();
  const ids = [...BEFORE, "model/small", "service/small"];
  expect([...steps.keys()]).toEqual(expect.arrayContaining(ids));
  await takeAll(steps, ids);
  const file = readFileSync(join(folder, "models/small/small-Q4_K_M.gguf"));
  expect(createHash("sha256").update(file).digest("hex")).toBe(
    createHash("sha256").update(WEIGHTS).digest("hex"),
  );
  const asked = cluster.requests.length;
  for (const id of ids) expect((await stepOf(steps, id).verify(context())).done, id).toBe(true);
  const writes = cluster.requests
    .slice(asked)
    .filter(({ method, query }) => method !== "GET" && query["dryRun"] === undefined);
  expect(writes).toEqual([]);
});

it("names the needs of a step by what it waits for", async () => {
  const steps = await stepsOf();
  expect(stepOf(steps, "service/small").needs).toEqual([
    "namespace/shed",
    "secret/shed",
    "model/small",
    "engine/llama",
    "image/ghcr.io/ggml-org/llama.cpp:server-cuda-b9246",
  ]);
  expect(stepOf(steps, "model/small").needs).toContain("manifest/download-program");
  expect(stepOf(steps, "namespace/shed").needs).toEqual(["cluster/shed"]);
});

it("sees at which field somebody edited an object, and sets it back", async () => {
  const steps = await stepsOf();
  await takeAll(steps, [...BEFORE, "model/small", "service/small"]);
  const service = cluster.store.get("services", "small");
  const edited = structuredClone(service);
  Object.assign(edited?.metadata.labels ?? {}, { "app.kubernetes.io/component": "mine" });
  if (edited !== undefined) cluster.store.put("services", edited);
  const step = stepOf(steps, "service/small");
  expect(await step.verify(context())).toEqual({
    done: false,
    missing: "Service small differs at metadata.labels.app.kubernetes.io/component",
  });
  await takeAll(steps, ["service/small"]);
  expect(cluster.store.get("services", "small")?.metadata.labels?.["app.kubernetes.io/component"]).toBe(
    "engine",
  );
});

it("leaves a field that another manager keeps, and says whose it is", async () => {
  const steps = await stepsOf();
  await takeAll(steps, [...BEFORE, "model/small", "service/small"]);
  const deployment = cluster.store.get("deployments", "small");
  const paths = [".spec.template.spec.terminationGracePeriodSeconds"];
  const owned = structuredClone(deployment);
  if (owned !== undefined) {
    owned.metadata.managedFields = [{ manager: "helm", operation: "Apply", paths }];
    Object.assign(Object(Object(owned.spec)["template"])["spec"], { terminationGracePeriodSeconds: 7 });
    cluster.store.put("deployments", owned);
  }
  await expect(takeStep(stepOf(steps, "service/small"), context())).rejects.toMatchObject({
    code: "cluster.conflict",
    message: expect.stringContaining("helm"),
  });
});

it("tells the last words of a container that ends again and again", async () => {
  cluster.kubelet.restartDelay = 10;
  program(
    "#!/bin/sh\necho 'CUDA error: no kernel image is available for execution on the device' >&2\nexit 1\n",
  );
  const steps = await stepsOf();
  await takeAll(steps, [...BEFORE, "model/small"]);
  await expect(takeStep(stepOf(steps, "service/small"), context())).rejects.toMatchObject({
    code: "runbook.step-failed",
    message: expect.stringMatching(/has ended \d+ times[\s\S]*no kernel image is available/),
  });
});

it("runs a download anew whose Job asks for something else", async () => {
  const before = await stepsOf();
  await takeAll(before, [...BEFORE, "model/small"]);
  const first = cluster.store.get("jobs", "download-small")?.metadata.uid;
  const steps = await stepsOf(spec().replace('"*Q4_K_M*"', '"*Q4_K*"'));
  expect(await stepOf(steps, "model/small").verify(context())).toEqual({
    done: false,
    missing: "Job download-small has to be made anew",
  });
  await takeAll(steps, ["model/small"]);
  expect(cluster.store.get("jobs", "download-small")?.metadata.uid).not.toBe(first);
});

it("puts secrets into the cluster and nowhere else", async () => {
  const steps = await stepsOf();
  await takeAll(steps, ["namespace/shed"]);
  const step = stepOf(steps, "secret/shed");
  const told = context();
  await takeStep(step, told);
  const data = Object(cluster.store.get("secrets", "shed-secrets")?.["data"]);
  expect(Buffer.from(String(data["OMNI_KEY"]), "base64").toString()).toBe(SECRET);
  expect(JSON.stringify([step.inputs, step.preview, told.notes, told.ran])).not.toContain(SECRET);
  expect(told.hidden).toContain(SECRET);
});

it("says which rule is missing where the credentials may not do it", async () => {
  cluster.denied.add("patch namespaces");
  const steps = await stepsOf();
  await expect(takeStep(stepOf(steps, "namespace/shed"), context())).rejects.toMatchObject({
    code: "cluster.forbidden",
  });
});
