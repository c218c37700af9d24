import { parse } from "@marcbachmann/cel-js";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { kubernetes } from "../../../src/render/kubernetes/index.ts";
import type { Deployment } from "../../../src/deployment/index.ts";
import { deploymentOf } from "../deployments.ts";
import { hasDefinitions, StrictKubernetes } from "../strict-kubernetes.ts";
import { clusterDeployment, findingsOf, objectsOf, podOf } from "./cluster-spec.ts";

const request = z.object({
  name: z.string(),
  deviceClassName: z.string(),
  count: z.number(),
  allocationMode: z.literal("ExactCount"),
  selectors: z.array(z.object({ cel: z.object({ expression: z.string() }) })),
});
const claim = z.looseObject({
  apiVersion: z.string(),
  spec: z.object({ spec: z.object({ devices: z.object({ requests: z.array(z.unknown()) }) }) }),
});

const requestsOf = (object: unknown): readonly unknown[] => claim.parse(object).spec.spec.devices.requests;
const nested = z.object({ name: z.string(), exactly: request.omit({ name: true }) });

describe("dynamic resource allocation", () => {
  it.each([
    ["1.34.0", "resource.k8s.io/v1"],
    ["1.35.2", "resource.k8s.io/v1"],
    ["1.33.1", "resource.k8s.io/v1beta2"],
  ])("asks Kubernetes %s under exactly, by %s", async (version, api) => {
    const deployment = await clusterDeployment({
      version,
      pinning: "dra",
      service: { devices: ["first", "second"], tensorParallel: 2 },
    });
    const template = objectsOf(deployment).get("ResourceClaimTemplate chat-gpus");
    expect(template).toMatchObject({ apiVersion: api, metadata: { namespace: "ai" } });
    const requests = requestsOf(template).map((one) => nested.parse(one));
    expect(requests.map(({ exactly }) => exactly.count)).toEqual([1, 1]);
    const expressions = requests.flatMap(({ exactly }) => exactly.selectors.map(({ cel }) => cel.expression));
    const uuids = [1, 2].map((digit) => `GPU-0000000${digit}-0000-0000-0000-000000000000`);
    for (const [index, expression] of expressions.entries())
      for (const [other, uuid] of uuids.entries())
        expect(parse(expression)({ device: { attributes: { "gpu.nvidia.com": { uuid } } } })).toBe(
          index === other,
        );
  });

  it("asks Kubernetes 1.32 in the flat form of v1beta1", async () => {
    const deployment = await clusterDeployment({ version: "1.32.4", pinning: "dra" });
    const template = objectsOf(deployment).get("ResourceClaimTemplate chat-gpus");
    expect(claim.parse(template).apiVersion).toBe("resource.k8s.io/v1beta1");
    expect(requestsOf(template).map((one) => request.parse(one).deviceClassName)).toEqual(["gpu.nvidia.com"]);
  });

  it("refers to the claim, and to nothing else that chooses cards", async () => {
    const deployment = await clusterDeployment({ pinning: "dra" });
    const { spec, container } = podOf(deployment, "chat");
    expect(spec).toMatchObject({
      resourceClaims: [{ name: "gpus", resourceClaimTemplateName: "chat-gpus" }],
    });
    expect(spec).not.toHaveProperty("runtimeClassName");
    expect(container.resources).toMatchObject({ claims: [{ name: "gpus" }] });
    expect(JSON.stringify(container)).not.toMatch(/NVIDIA_VISIBLE_DEVICES|nvidia\.com\/gpu/);
  });

  it("asks by model where no UUID is known, and not for its bigger sister", async () => {
    const gpus = { first: { model: "RTX 3080" }, second: { model: "RTX 3080" } };
    const deployment = await clusterDeployment({
      pinning: "dra",
      service: { devices: ["first", "second"], tensorParallel: 2 },
      more: { metal: { gpus, memory: { size: "64GiB" }, disks: { nvme: { mount: "/mnt/nvme" } } } },
    });
    const [only, ...none] = requestsOf(objectsOf(deployment).get("ResourceClaimTemplate chat-gpus"));
    const { exactly } = nested.parse(only);
    expect([exactly.count, none]).toEqual([2, []]);
    const matches = parse(exactly.selectors[0]?.cel.expression ?? "");
    const named = (productName: string) =>
      matches({ device: { attributes: { "gpu.nvidia.com": { productName } } } });
    expect(named("NVIDIA GeForce RTX 3080")).toBe(true);
    expect(named("NVIDIA GeForce RTX 3080 Ti")).toBe(false);
    expect(named("NVIDIA GeForce RTX 3090")).toBe(false);
  });

  it("does not exist before 1.32: nothing starts, and the diagnostic says what does", async () => {
    const deployment = await clusterDeployment({ version: "1.31.4", pinning: "dra" });
    expect(podOf(deployment, "chat").replicas).toBe(0);
    expect([...objectsOf(deployment).keys()].join()).not.toContain("ResourceClaim");
    expect(findingsOf(deployment).join()).toMatch(
      /error services\.chat: pinning: dra needs Kubernetes 1\.32 .*cluster is 1\.31\.4/,
    );
  });
});

describe("pinning by the device plugin", () => {
  it("counts cards and names none", async () => {
    const deployment = await clusterDeployment({
      pinning: "device-plugin",
      service: { environment: { CUDA_VISIBLE_DEVICES: "1" }, resources: { limits: { "nvidia.com/gpu": 2 } } },
    });
    const { container } = podOf(deployment, "chat");
    expect(container.resources).toMatchObject({ limits: { "nvidia.com/gpu": "1" } });
    expect(container.env.map(({ name }) => name)).not.toContain("CUDA_VISIBLE_DEVICES");
    expect(findingsOf(deployment)).toHaveLength(2);
  });

  it("says so where the node has other cards", async () => {
    const gpus = { first: { model: "RTX 3090" }, other: { model: "RTX 3060" } };
    const deployment = await clusterDeployment({
      pinning: "device-plugin",
      more: { metal: { gpus, memory: { size: "64GiB" }, disks: { nvme: { mount: "/mnt/nvme" } } } },
    });
    expect(findingsOf(deployment).join()).toContain("any card of the node, other too");
  });
});

describe("resources", () => {
  it("lets the owner's win, never requests more than the limit, and says what is too small", async () => {
    const deployment = await clusterDeployment({
      service: {
        shm: "2GiB",
        resources: { requests: { cpu: 3 }, limits: { memory: "1Gi", "hugepages-2Mi": "64Mi" } },
      },
    });
    expect(podOf(deployment, "chat").container.resources).toEqual({
      requests: { cpu: "3", memory: "1Gi" },
      limits: { memory: "1Gi", "hugepages-2Mi": "64Mi" },
    });
    expect(findingsOf(deployment).join("\n")).toMatch(
      /limits\.memory: The request of memory[^]*predicts with \/dev\/shm/,
    );
  });

  it("requests no more CPUs than the node can give", async () => {
    const metal = {
      cpu: { cores: 8, threads: 16 },
      memory: { size: "128GiB" },
      disks: { nvme: { mount: "/mnt/nvme" } },
    };
    const models = {
      tiny: {
        source: "disk:nvme/tiny.gguf",
        family: "Mistral-Nemo-12B",
        format: "gguf",
        size: "7GB",
        quantization: "Q4_K_M",
      },
    };
    const service = { model: "tiny", engine: "llama.cpp", devices: "cpu", context: 4096, threads: 16 };
    const deployment = await clusterDeployment({
      more: {
        metal,
        models,
        engines: { "llama.cpp": { kind: "llama.cpp", version: "b7000" } },
        services: { one: service, two: service },
      },
    });
    const requested = ["one", "two"].map(
      (name) =>
        z
          .object({ requests: z.object({ cpu: z.string() }) })
          .parse(podOf(deployment, name).container.resources).requests.cpu,
    );
    expect(requested).toEqual(["6500m", "6500m"]);
  });
});

describe("pods", () => {
  it("of engines that can run without a name do, all others as root without rights", async () => {
    const deployment = await clusterDeployment();
    expect(podOf(deployment, "chat").container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    expect(podOf(deployment, "test-node-gateway").container).toMatchObject({
      securityContext: { runAsNonRoot: true, runAsUser: 1000, readOnlyRootFilesystem: true },
    });
  });

  it("that the namespace's level refuses are named with what they need", async () => {
    const deployment = await clusterDeployment({
      kubernetes: { podSecurity: "baseline" },
      service: { privileged: true },
    });
    expect(findingsOf(deployment).join("\n")).toMatch(
      /error runtime\.kubernetes\.podSecurity: podSecurity: baseline refuses the pod of Deployment chat \(services\/chat\.yaml\): the volume .* \(hostPath\); engine is privileged/,
    );
    expect(findingsOf(deployment).join("\n")).not.toContain("test-node-gateway");
  });

  it("go by the label of the node, past no scheduler", async () => {
    const deployment = await clusterDeployment({ kubernetes: { nodeName: "node-0" } });
    for (const name of ["chat", "test-node-gateway"]) {
      expect(podOf(deployment, name).spec).toMatchObject({
        nodeSelector: { "kubernetes.io/hostname": "node-0" },
      });
      expect(podOf(deployment, name).spec).not.toHaveProperty("nodeName");
    }
  });

  it("sleep before they leave by the kubelet's own means, or by a program on old clusters", async () => {
    const preStop = async (version: string) => podOf(await clusterDeployment({ version }), "chat").container;
    expect(await preStop("1.30.0")).toMatchObject({ lifecycle: { preStop: { sleep: { seconds: 5 } } } });
    expect(await preStop("1.29.0")).toMatchObject({
      lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } },
    });
  });

  it("never replace an engine that has its cards alone pod by pod", async () => {
    const deployment = await clusterDeployment({ service: { strategy: "rolling", sharing: "exclusive" } });
    expect(objectsOf(deployment).get("Deployment chat")).toMatchObject({
      spec: { strategy: { type: "Recreate" } },
    });
    expect(findingsOf(deployment).join()).toContain("services.chat.strategy");
  });
});

describe("NodePorts", () => {
  it("of replicas are one Service over all their pods", async () => {
    const deployment = await clusterDeployment({
      service: { devices: "auto", replicas: 2, nodePort: 30_100 },
    });
    const objects = [...objectsOf(deployment).values()];
    const services = objects.filter(({ kind }) => kind === "Service");
    expect(
      services.filter((one) => JSON.stringify(one).includes("30100")).map(({ metadata }) => metadata.name),
    ).toEqual(["chat-nodeport"]);
    expect(objectsOf(deployment).get("Service chat-nodeport")).toMatchObject({
      spec: {
        selector: { "omni.internal/service": "chat" },
        ports: [{ nodePort: 30_100, targetPort: "http" }],
      },
    });
    for (const { name } of deployment.services)
      expect(podOf(deployment, name).metadata.labels).toMatchObject({ "omni.internal/service": "chat" });
  });
});

describe("secrets", () => {
  it("are references everywhere, by variable and by file", async () => {
    const deployment = await clusterDeployment({
      service: { environment: { TOKEN: { env: "HF_TOKEN" }, CERT: { file: "/run/secrets/a.b" } } },
      more: { keys: { owner: { file: "/run/secrets/owner-key", admin: true } } },
    });
    expect(podOf(deployment, "chat").container.env).toEqual(
      expect.arrayContaining([
        { name: "TOKEN", valueFrom: { secretKeyRef: { name: "test-node-secrets", key: "HF_TOKEN" } } },
        {
          name: "CERT",
          valueFrom: {
            secretKeyRef: {
              name: "test-node-secrets",
              key: expect.stringMatching(/^run\.secrets\.a\.b-[0-9a-f]{8}$/),
            },
          },
        },
      ]),
    );
    expect(podOf(deployment, "test-node-gateway").container).toMatchObject({
      volumeMounts: expect.arrayContaining([
        {
          name: "secrets",
          mountPath: "/run/secrets/owner-key",
          subPath: "run.secrets.owner-key",
          readOnly: true,
        },
      ]),
    });
  });
});

describe("every choice", () => {
  it.skipIf(!hasDefinitions)(
    "is taken by a strict API server (needs the definitions of Kubernetes 1.35)",
    async () => {
      const strict = new StrictKubernetes();
      const deployments = await Promise.all([
        clusterDeployment({ pinning: "dra" }),
        clusterDeployment({
          pinning: "device-plugin",
          kubernetes: {
            storageClass: "fast",
            imagePullSecret: "pull",
            runtimeClass: "nvidia",
            createRuntimeClass: true,
          },
        }),
        clusterDeployment({
          guest: { cni: "cilium" },
          service: { networks: ["walled"], nodePort: 30_100, shm: "1GiB", privileged: true, memory: "64GiB" },
          more: {
            networks: {
              walled: { isolation: "gateway-only", allow: ["10.0.0.5:5432", "10.1.0.0/16", "[fd00::1]:443"] },
            },
            runbook: {
              commandModule: {
                image: "ubuntu:24.04",
                storage: "10GiB",
                gpus: ["second"],
                packages: ["git"],
                environment: { A: "b" },
              },
            },
          },
        }),
      ]);
      const errors = deployments.flatMap((one) =>
        [...objectsOf(one).values()].flatMap((object) => strict.errors(object)),
      );
      expect(errors).toEqual([]);
    },
  );
});

describe("guests that name one cluster", () => {
  it("are its nodes: one folder, and every pod on its own", async () => {
    const machine = (digit: number) => ({
      memory: { size: "256GiB" },
      gpus: {
        [`card-${digit}`]: { model: "RTX 3090", uuid: `GPU-0000000${digit}-0000-0000-0000-000000000000` },
      },
      disks: { [`disk-${digit}`]: { mount: "/mnt/nvme" } },
    });
    const guest = (digit: number) => ({
      machine: `machine-${digit}`,
      kubernetes: { version: "1.35.0", nodes: { [`node-${digit}`]: { machine: `machine-${digit}` } } },
    });
    const service = (digit: number) => ({
      model: "small",
      engine: "vllm",
      devices: `card-${digit}`,
      context: 4096,
    });
    const deployment = await clusterDeployment({
      more: {
        metal: undefined,
        guest: undefined,
        machines: { "machine-1": machine(1), "machine-2": machine(2) },
        guests: { one: guest(1), two: guest(2) },
        models: {
          small: {
            source: "disk:disk-1/small",
            family: "Mistral-Nemo-12B",
            format: "safetensors",
            size: "12GB",
            quantization: "fp8",
          },
        },
        services: { first: service(1), second: service(2) },
      },
    });
    const paths = kubernetes.render(deployment).artifacts.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const digit of [1, 2])
      expect(podOf(deployment, digit === 1 ? "first" : "second").spec).toMatchObject({
        nodeSelector: { "kubernetes.io/hostname": `node-${digit}` },
      });
  });
});

describe("an engine over two machines", () => {
  it("is a group of pods whose leader alone is served, each with its own card", async () => {
    const planned = await clusterDeployment({
      service: { devices: ["first", "second"], tensorParallel: 2, nodePort: 30_100 },
    });
    const nodes = ["first", "second"].map((card, index) => ({
      name: `node-${index}`,
      role: "worker" as const,
      machine: `machine-${index}`,
      gpus: [card],
      labels: {},
    }));
    const deployment = {
      ...planned,
      clusters: planned.clusters.map((cluster) => ({ ...cluster, nodes })),
      services: planned.services.map((service) => ({
        ...service,
        cards: service.cards.map((card, index) => ({ ...card, machine: `machine-${index}` })),
      })),
    };
    const pod = (digit: number) => ({
      nodeSelector: { "kubernetes.io/hostname": `node-${digit - 1}` },
      containers: [
        {
          env: expect.arrayContaining([
            { name: "NVIDIA_VISIBLE_DEVICES", value: `GPU-0000000${digit}-0000-0000-0000-000000000000` },
          ]),
        },
      ],
    });
    const group = objectsOf(deployment).get("LeaderWorkerSet chat");
    expect(group).toMatchObject({
      spec: {
        replicas: 1,
        leaderWorkerTemplate: {
          size: 2,
          leaderTemplate: { metadata: { labels: { "omni.internal/service": "chat" } }, spec: pod(1) },
          workerTemplate: { spec: pod(2) },
        },
      },
    });
    const worker = JSON.stringify(
      z
        .looseObject({
          spec: z.looseObject({
            leaderWorkerTemplate: z.looseObject({ workerTemplate: z.looseObject({ metadata: z.unknown() }) }),
          }),
        })
        .parse(group).spec.leaderWorkerTemplate.workerTemplate.metadata,
    );
    expect(worker).not.toMatch(/omni\.internal\/service|prometheus/);
    expect(objectsOf(deployment).has("Deployment chat")).toBe(false);
    expect(findingsOf(deployment).filter((one) => one.startsWith("error"))).toEqual([]);
  });
});

describe("pinning by UUID", () => {
  const spec = (card: string, more = ""): string => `
omni: 1
name: box
metal: { memory: { size: 128GiB }, gpus: { only: ${card} } }
guest: { kubernetes: { version: "1.35.0" } }
runtime: kubernetes
engines: { vllm: { kind: vllm, version: 0.13.0 } }
models: { qwen: { source: hf:Qwen/Qwen3-4B, family: Qwen3-4B, format: safetensors } }
services: { chat: { model: qwen, engine: vllm, devices: only, context: 8192 }${more} }
keys: { me: { env: OMNI_KEY } }
`;

  it("takes the index for want of a UUID, with a warning, and nothing without either: no pod may see all cards", async () => {
    const indexed = await deploymentOf(spec("{ model: RTX 4090, index: 3 }"));
    expect(environmentOf(indexed)).toContainEqual({ name: "NVIDIA_VISIBLE_DEVICES", value: "3" });
    expect(findingsOf(indexed)).toContainEqual(
      expect.stringMatching(/^warning machines\.box\.gpus\.only: .*by its index 3/),
    );
    const nameless = await deploymentOf(spec("RTX 4090"));
    expect(environmentOf(nameless)).toContainEqual({ name: "NVIDIA_VISIBLE_DEVICES", value: "void" });
    expect(objectsOf(nameless).get("Deployment chat")).toMatchObject({ spec: { replicas: 0 } });
    expect(findingsOf(nameless)).toContainEqual(
      expect.stringMatching(/^error machines\.box\.gpus\.only: .*rendered with 0 replicas/),
    );
  });

  it("starts one of the services that take turns on a card", async () => {
    const card = "{ model: RTX 4090, uuid: GPU-11111111-1111-1111-1111-111111111111 }";
    const more = ", other: { model: qwen, engine: vllm, devices: only, context: 8192, sharing: swap }";
    const swap = spec(card, more).replace(
      "context: 8192 }",
      "context: 8192, memoryFraction: 0.9, sharing: swap }",
    );
    const deployment = await deploymentOf(swap);
    const objects = objectsOf(deployment);
    const standing = deployment.services.filter(({ turns }) => turns?.standing === true);
    expect(standing).toHaveLength(1);
    for (const { name } of deployment.services)
      expect(objects.get(`Deployment ${name}`), name).toMatchObject({
        spec: { replicas: standing[0]?.name === name ? 1 : 0 },
      });
  });
});

const environmentOf = (deployment: Deployment): unknown => podOf(deployment, "chat").container["env"];
