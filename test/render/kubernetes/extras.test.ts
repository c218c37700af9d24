import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Cluster, DeployedService, Deployment } from "../../../src/deployment/index.ts";
import { enginePod } from "../../../src/render/kubernetes/engine-pod.ts";
import { gpuValidation } from "../../../src/render/kubernetes/gpu-validation.ts";
import { gpuValues } from "../../../src/render/kubernetes/gpu-values.ts";
import { inferencePools, poolLabels } from "../../../src/render/kubernetes/inference-pool.ts";
import type { KubernetesFile } from "../../../src/render/kubernetes/kubernetes-file.ts";
import { kustomization } from "../../../src/render/kubernetes/kustomize.ts";
import { leaderWorkerSet, spansMachines } from "../../../src/render/kubernetes/leader-worker-set.ts";
import { fileText } from "../../../src/render/kubernetes/object.ts";
import { pinningOf } from "../../../src/render/kubernetes/pinning.ts";
import { serviceMonitors } from "../../../src/render/kubernetes/service-monitor.ts";
import { VALIDATION_SCRIPT } from "../../../src/render/kubernetes/validation-script.ts";
import { referenceDeployment } from "../deployments.ts";
import { hasDefinitions, readObjects, StrictKubernetes } from "../strict-kubernetes.ts";
import { clusterDeployment } from "./cluster-spec.ts";

const base = await clusterDeployment();
const cluster: Cluster = base.clusters[0] ?? expect.fail("the base has a cluster");
const chat: DeployedService = base.services[0] ?? expect.fail("the base has a service");
const textOf = (files: readonly KubernetesFile[]): string =>
  files.map((file) => fileText(file)).join("---\n");
const which = (tool: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, tool)));

describe("the GPU operator", () => {
  const talos = (talosVersion: string, validationWorkaround = true): Cluster => ({
    ...cluster,
    distribution: "talos",
    talosVersion,
    runtimeClass: "nvidia",
    gpuOperator: { version: "25.10.1", validationWorkaround },
  });

  it("gets its markers only on Talos before 1.13, and only when asked for", () => {
    const { files, diagnostics } = gpuValidation(base, talos("1.12.1"));
    expect(files.map(({ path }) => path)).toEqual(["gpu-validation.yaml"]);
    expect(diagnostics).toEqual([]);
    expect(readObjects(textOf(files))[1]).toMatchObject({
      kind: "DaemonSet",
      metadata: { namespace: "gpu-operator" },
      spec: {
        template: {
          spec: {
            runtimeClassName: "nvidia",
            containers: [{ env: expect.arrayContaining([{ name: "CARDS", value: "2" }]) }],
          },
        },
      },
    });
    const newer = gpuValidation(base, talos("1.13.0"));
    expect(newer.files).toEqual([]);
    expect(newer.diagnostics[0]?.message).toContain("Talos 1.13.0 needs no markers");
    expect(gpuValidation(base, talos("1.12.1", false))).toEqual({ files: [], diagnostics: [] });
    expect(gpuValidation(base, cluster)).toEqual({ files: [], diagnostics: [] });
  });

  it.skipIf(!hasDefinitions)("has a DaemonSet that Kubernetes takes (needs ../shared/schemas)", () => {
    const strict = new StrictKubernetes();
    for (const object of readObjects(textOf(gpuValidation(base, talos("1.12.1")).files)))
      expect(strict.errors(object)).toEqual([]);
  });

  it("has values for its chart that leave driver and toolkit to Talos", () => {
    const values = (one: Cluster): unknown => parse(gpuValues(one)[0]?.content ?? "");
    expect(values(talos("1.13.2"))).toEqual({
      driver: { enabled: false },
      toolkit: { enabled: false },
      hostPaths: { driverInstallDir: "/usr/local" },
      operator: { runtimeClass: "nvidia" },
    });
    expect(values(talos("1.15.0"))).not.toHaveProperty("toolkit");
    expect(values(talos("1.12.1"))).toMatchObject({
      driver: { enabled: false },
      validator: { driver: { env: expect.arrayContaining([{ name: "DRIVER_ROOT", value: "/" }]) } },
      devicePlugin: { env: [{ name: "DEVICE_LIST_STRATEGY", value: "cdi-annotations" }, expect.anything()] },
    });
    expect(values({ ...talos("1.13.2"), pinning: "dra" })).toMatchObject({
      devicePlugin: { enabled: false },
    });
    expect(gpuValues(talos("1.12.1"))[0]?.content).toContain("--version v25.10.1");
  });

  it("is left away for the device plugin alone, which is put on the nodes with cards", () => {
    const [values, ...more] = gpuValues({ ...cluster, devicePlugin: true, runtimeClass: "nvidia" });
    expect(more).toEqual([]);
    expect(values?.path).toBe("nvidia-device-plugin-values.yaml");
    expect(JSON.stringify(parse(values?.content ?? ""))).toContain('"values":["node-0"]');
    expect(gpuValues(cluster)).toEqual([]);
  });
});

describe("the validation script", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "omni-validation-"));
    for (const name of ["bin", "dev", "markers"]) await mkdir(join(folder, name));
    await writeFile(join(folder, "validate.sh"), VALIDATION_SCRIPT);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const cards = async (count: number): Promise<void> => {
    const lines = Array.from(
      { length: count },
      (_, index) => `echo "GPU ${index}: RTX (UUID: GPU-${index})"`,
    );
    const program = join(folder, "bin", "nvidia-smi");
    await writeFile(
      program,
      `#!/bin/sh\n${lines.join("\n")}\n[ ${count} -gt 0 ] || echo "No devices found"\n`,
    );
    await chmod(program, 0o755);
  };
  const nodes = async (): Promise<void> => {
    for (const name of ["nvidiactl", "nvidia0"]) await writeFile(join(folder, "dev", name), "");
  };
  const run = async (): Promise<string> => {
    const env = {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      DEVICES: join(folder, "dev"),
      MARKERS: join(folder, "markers"),
      CARDS: "2",
      ONCE: "yes",
    };
    const { stdout } = await promisify(execFile)("/bin/sh", [join(folder, "validate.sh")], { env });
    return stdout;
  };
  const markers = async (): Promise<string[]> => (await readdir(join(folder, "markers"))).toSorted();

  it("writes the markers while all cards are there, and takes them away when one is lost", async () => {
    await nodes();
    await cards(2);
    expect(await run()).toContain("2 cards: the markers stand");
    expect(await markers()).toEqual([".driver-ctr-ready", "driver-ready", "toolkit-ready"]);
    const ready = await readFile(join(folder, "markers", "driver-ready"), "utf8");
    const sourced = execFileSync("/bin/sh", ["-c", `${ready}\necho "$IS_HOST_DRIVER $NVIDIA_DRIVER_ROOT"`]);
    expect(sourced.toString()).toBe("true /\n");
    await cards(1);
    expect(await run()).toContain("nvidia-smi sees 1 cards, the spec names 2");
    expect(await markers()).toEqual([]);
  });

  it("writes nothing without device nodes or with a driver that sees no card", async () => {
    await cards(2);
    expect(await run()).toContain("/dev/nvidiactl is missing");
    await nodes();
    await cards(0);
    expect(await run()).toContain("nvidia-smi sees 0 cards");
    expect(await markers()).toEqual([]);
  });

  it("leaves markers of the operator itself alone", async () => {
    await writeFile(join(folder, "markers", "driver-ready"), "IS_HOST_DRIVER=false\n");
    await run();
    expect(await markers()).toEqual(["driver-ready"]);
  });

  it.skipIf(!which("shellcheck"))("passes shellcheck (needs shellcheck)", () => {
    expect(execFileSync("shellcheck", ["-S", "style", "-"], { input: VALIDATION_SCRIPT }).toString()).toBe(
      "",
    );
  });
});

describe("engines over several machines", () => {
  const cards = (...machines: string[]): DeployedService["cards"] =>
    machines.map((machine, index) => ({
      name: `card-${index}`,
      machine,
      model: "RTX 3090",
      uuid: `GPU-0000000${index}-0000-0000-0000-000000000000`,
    }));
  const spread = (changes: Partial<DeployedService>, changed: Partial<Cluster> = {}) => {
    const service: DeployedService = { ...chat, engineVersion: "0.13.0", ...changes };
    const machines = [...new Set(service.cards.map(({ machine }) => machine))];
    const on: Cluster = {
      ...cluster,
      nodes: machines.map((machine) => ({
        name: `node-of-${machine}`,
        role: "worker",
        machine,
        gpus: service.cards.flatMap((card) => (card.machine === machine ? [card.name] : [])),
        labels: {},
      })),
      ...changed,
    };
    const metadata = { name: service.name, namespace: on.namespace };
    const group = leaderWorkerSet(
      service,
      (part, role) => {
        const pinned = {
          metadata: { name: `${service.name}-${role}` },
          cards: part.cards,
          path: "services.chat",
        };
        return enginePod(part, "vllm/vllm-openai:v0.13.0", pinningOf(pinned, on, base.hosts), base, on);
      },
      metadata,
      on,
    );
    return { group, spec: group.object.spec, template: group.object.spec.leaderWorkerTemplate };
  };

  it("are told by their cards", () => {
    expect(spansMachines(chat)).toBe(false);
    expect(spansMachines({ ...chat, cards: cards("a", "b") })).toBe(true);
  });

  it("are a leader that answers and a worker that lends its cards", () => {
    const { spec, template, group } = spread({ cards: cards("a", "a", "b", "b") });
    expect(group.diagnostics).toEqual([]);
    expect(spec).toMatchObject({ replicas: 1, startupPolicy: "LeaderCreated" });
    expect(template).toMatchObject({ size: 2, restartPolicy: "RecreateGroupOnPodRestart" });
    const leader = template.leaderTemplate.spec?.containers[0];
    const worker = template.workerTemplate.spec?.containers[0];
    expect(leader?.args?.slice(-8)).toEqual([
      "--nnodes",
      "2",
      "--node-rank",
      "$(LWS_WORKER_INDEX)",
      "--master-addr",
      "$(LWS_LEADER_ADDRESS)",
      "--master-port",
      "20000",
    ]);
    expect(worker?.args?.at(-1)).toBe("--headless");
    expect(leader?.readinessProbe).toBeDefined();
    expect(worker).not.toHaveProperty("readinessProbe");
    expect(worker).not.toHaveProperty("ports");
    const uuids = (container: typeof leader): string | undefined =>
      container?.env?.find(({ name }) => name === "NVIDIA_VISIBLE_DEVICES")?.value;
    expect(uuids(leader)).toBe(
      "GPU-00000000-0000-0000-0000-000000000000,GPU-00000001-0000-0000-0000-000000000000",
    );
    expect(uuids(worker)).toBe(
      "GPU-00000002-0000-0000-0000-000000000000,GPU-00000003-0000-0000-0000-000000000000",
    );
    expect(template.leaderTemplate.spec?.nodeSelector).toEqual({ "kubernetes.io/hostname": "node-of-a" });
    expect(template.workerTemplate.spec?.nodeSelector).toEqual({ "kubernetes.io/hostname": "node-of-b" });
    const instance = "app.kubernetes.io/instance";
    expect(template.leaderTemplate.metadata?.labels?.[instance]).toBe("chat");
    expect(template.workerTemplate.metadata?.labels?.[instance]).toBe("chat-worker");
  });

  it("keep several workers apart by anti-affinity", () => {
    const { spec, template, group } = spread({ cards: cards("a", "b", "c") }, { pinning: "device-plugin" });
    expect(group.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(spec.replicas).toBe(1);
    expect(template.size).toBe(3);
    expect(template.workerTemplate.spec).not.toHaveProperty("nodeSelector");
    expect(JSON.stringify(template.workerTemplate.spec?.affinity)).toContain('["node-of-b","node-of-c"]');
  });

  it("speak SGLang's words to SGLang", () => {
    const { template } = spread({ kind: "sglang", cards: cards("a", "b") });
    expect(template.workerTemplate.spec?.containers[0]?.args?.slice(-2)).toEqual([
      "--dist-init-addr",
      "$(LWS_LEADER_ADDRESS):20000",
    ]);
  });

  it.each([
    ["an engine that cannot", { kind: "llama.cpp" }, {}, "llama.cpp does not span machines"],
    [
      "a vLLM that needs Ray",
      { engineVersion: "0.11.0", image: "vllm/vllm-openai:v0.11.0" },
      {},
      "only through a Ray cluster",
    ],
    [
      "UUIDs of two workers",
      { cards: cards("a", "b", "c") },
      {},
      "pinning: uuid would need a template for each",
    ],
    [
      "workers of different size",
      { cards: cards("a", "b", "b", "c") },
      { pinning: "device-plugin" as const },
      "The workers of chat have 2, 1 cards",
    ],
  ])("stay at 0 replicas with %s", (_, changes, changed, message) => {
    const { spec, group } = spread({ cards: cards("a", "b"), ...changes }, changed);
    expect(spec.replicas).toBe(0);
    expect(group.diagnostics.map((one) => one.message).join()).toContain(message);
    expect(JSON.stringify(group.object.metadata?.annotations)).toContain("not-started-because");
  });
});

describe("inference pools", () => {
  const on: Cluster = { ...cluster, inferencePool: true };
  const twice: Deployment = { ...base, services: [chat, { ...chat, name: "chat-2", replicaOf: "chat" }] };

  it("gather the pods that serve one model, by the label that these carry", () => {
    const { files, diagnostics } = inferencePools(twice, on);
    const objects = readObjects(textOf(files));
    expect(objects).toHaveLength(1);
    const labels = poolLabels(chat, twice, on);
    expect(objects[0]).toMatchObject({
      apiVersion: "inference.networking.k8s.io/v1",
      kind: "InferencePool",
      spec: {
        selector: { matchLabels: labels },
        targetPorts: [{ number: chat.port }],
        endpointPickerRef: { port: { number: 9002 }, failureMode: "FailClose" },
      },
    });
    expect(Object.keys(labels)).toEqual(["omni.internal/inference-pool"]);
    expect(diagnostics[0]?.message).toContain("needs an endpoint picker");
  });

  it("are one for each port, because a pool asks all of its pods on the same", () => {
    const services = [chat, { ...chat, name: "other", port: chat.port + 1 }];
    expect(readObjects(textOf(inferencePools({ ...base, services }, on).files))).toHaveLength(2);
  });

  it("are not there where nobody asks for them", () => {
    expect(inferencePools(twice, cluster)).toEqual({ files: [], diagnostics: [] });
    expect(poolLabels(chat, twice, cluster)).toEqual({});
  });
});

describe("service monitors", () => {
  const asking: Deployment = {
    ...base,
    telemetry: {
      ...base.telemetry,
      metrics: { ...base.telemetry.metrics, enabled: true, serviceMonitor: true },
    },
  };

  it("find the Services of engines and gateway by their labels, and each pod once", () => {
    const objects = readObjects(textOf(serviceMonitors(asking, cluster).files));
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(["chat", "test-node-gateway"]);
    expect(objects[0]).toMatchObject({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      spec: {
        selector: {
          matchLabels: { "app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "chat" },
        },
        endpoints: [
          {
            port: "http",
            path: "/metrics",
            relabelings: [
              { action: "keep", sourceLabels: ["__meta_kubernetes_service_name"], regex: "chat" },
            ],
          },
        ],
      },
    });
  });

  it("are not there without metrics or without being asked for", () => {
    expect(serviceMonitors(base, cluster).files).toEqual([]);
    const off = { ...asking.telemetry, metrics: { ...asking.telemetry.metrics, enabled: false } };
    expect(serviceMonitors({ ...asking, telemetry: off }, cluster).files).toEqual([]);
  });
});

describe("the kustomize base", () => {
  it("lists what is applied, in order, and names what is not", () => {
    const file = (path: string, applied: KubernetesFile["applied"] = "apply"): KubernetesFile => ({
      path,
      objects: [],
      comment: "",
      reason: "",
      applied,
    });
    const files = [
      file("namespace.yaml"),
      file("storage/prepare-disk-x.yaml", "by-hand"),
      file("services/a.yaml"),
    ];
    const found = kustomization(files, { ...cluster, kustomize: true });
    expect(parse(textOf(found))).toEqual({
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: ["namespace.yaml", "services/a.yaml"],
    });
    expect(found[0]?.comment).toContain("applied by hand: storage/prepare-disk-x.yaml");
    expect(kustomization(files, cluster)).toEqual([]);
  });
});

describe("omni-prime as written", () => {
  it("asks for the markers that its runbook wrote by hand", async () => {
    const deployment = await referenceDeployment("omni-prime");
    const found = deployment.clusters.flatMap((one) => gpuValidation(deployment, one).files);
    expect(found.map(({ path }) => path)).toEqual(["gpu-validation.yaml"]);
  });
});
