import { describe, expect, it } from "vitest";
import type { DeployedService, Deployment } from "../../src/deployment/index.ts";
import { yamlDocument } from "../../src/render/documents/yaml.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { deploymentOf, referenceDeployment, REFERENCE_SYSTEMS } from "./deployments.ts";

const serviceOf = ({ services }: Deployment, name: string): DeployedService => {
  const found = services.find((service) => service.name === name);
  if (found === undefined)
    throw new Error(`no service ${name}: ${services.map((one) => one.name).join(", ")}`);
  return found;
};

/** One docker machine with two cards, and what a test adds to it. */
const docker = (rest: string): Promise<Deployment> =>
  deploymentOf(`
omni: 1
name: box
metal:
  memory: { size: 256GiB }
  gpus:
    one: { model: RTX 4090, uuid: GPU-11111111-1111-1111-1111-111111111111 }
    two: { model: RTX 4090, uuid: GPU-22222222-2222-2222-2222-222222222222 }
  disks: { data: { mount: /srv/data, role: models } }
runtime: docker
${rest}`);

const QWEN = "{ source: hf:Qwen/Qwen3-4B, family: Qwen3-4B, format: safetensors }";
const VLLM = "{ kind: vllm, version: 0.13.0 }";

describe("the gateway's own spec", () => {
  it.each(REFERENCE_SYSTEMS)(
    "of %s is a valid spec in which every engine is called by its address",
    async (name) => {
      const deployment = await referenceDeployment(name);
      const text = yamlDocument(
        deployment.gateway.config((service) => `http://${service.name}:${service.port}`),
      );
      const { spec, diagnostics } = loadSpec(text, "gateway.yaml");
      expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      for (const service of deployment.services) {
        const engine = spec?.engines[spec.services[service.name]?.engine[0] ?? ""];
        expect(engine?.url, service.name).toContain(`http://${service.name}:${service.port}`);
      }
      expect(spec?.gateway.host).toBe("0.0.0.0");
    },
  );

  it("keeps routes with their conditions, keys and tools as typed, and names their secrets", async () => {
    const bunker = await referenceDeployment("concrete-bunker.fixed");
    expect(bunker.gateway.config(() => "http://x")["routes"]).toEqual({
      oracle: {
        services: [{ service: "qwen-executor", when: { promptTokens: { above: 8192 } } }, "deepseek-v32"],
      },
      executor: { services: ["qwen-executor"] },
    });
    const prime = await referenceDeployment("omni-prime.fixed");
    expect(prime.gateway.secrets).toEqual([{ env: "OMNI_KEY" }, { env: "OMNI_POSTGRES_DSN" }]);
    expect(prime.gateway.folders).toEqual([{ path: "/var/mnt/data", writable: false }]);
  });

  it("routes to every replica, and calls remote engines as the node would", async () => {
    const deployment = await docker(`
engines: { vllm: ${VLLM}, moonshot: { kind: openai, url: "https://api.moonshot.ai/v1", apiKey: { env: MOONSHOT } } }
models: { qwen: ${QWEN}, kimi: { source: { remote: kimi-k2 } } }
services:
  chat: { model: qwen, engine: vllm, replicas: 2, context: 8192, networks: default }
  far: { model: kimi, engine: moonshot }
routes: { any: [chat, far] }
networks: { default: {} }
`);
    const config = deployment.gateway.config(({ name }) => `http://${name}:8000`);
    expect(config["routes"]).toEqual({ any: { services: ["chat", "chat-2", "far"] } });
    expect(deployment.gateway.secrets).toEqual([{ env: "MOONSHOT" }]);
    expect(loadSpec(yamlDocument(config), "gateway.yaml").spec?.services["far"]?.engine).toEqual([
      "moonshot",
    ]);
    expect(deployment.services.map(({ name, replicaOf }) => [name, replicaOf])).toEqual([
      ["chat", undefined],
      ["chat-2", "chat"],
    ]);
  });
});

describe("files", () => {
  it("a model is seen through the deepest mount that shows it, and gets a read-only mount where none does", async () => {
    const deployment = await docker(`
engines: { vllm: ${VLLM} }
models:
  shown: { source: "disk:data/models/qwen/", family: Qwen3-4B, format: safetensors }
  hidden: { source: { file: /opt/weights/Qwen3.gguf }, family: Qwen3-4B, quantization: Q4_K_M, format: gguf }
services:
  a:
    model: shown
    engine: vllm
    devices: one
    mounts: [{ disk: data, at: /data }, { disk: data, path: models, at: /models, readOnly: false }]
  b: { model: hidden, engine: llama.cpp, devices: two }
`);
    const a = serviceOf(deployment, "a");
    expect(a.place.modelPath).toBe("/models/qwen");
    expect(a.mounts.map(({ at, readOnly, purpose }) => [at, readOnly, purpose])).toEqual([
      ["/data", true, "weights"],
      ["/models", false, "weights"],
    ]);
    const b = serviceOf(deployment, "b");
    expect(b.place.modelPath).toBe("/models/hidden/Qwen3.gguf");
    expect(b.mounts).toEqual([
      {
        name: "weights-hidden",
        source: { kind: "folder", path: "/opt/weights", create: false },
        at: "/models/hidden",
        readOnly: true,
        purpose: "weights",
      },
    ]);
  });

  it("a download without a place of its own goes to the disk for models", async () => {
    const { models } = await docker(`
engines: { vllm: ${VLLM} }
models: { qwen: ${QWEN} }
services: { chat: { model: qwen, engine: vllm } }
`);
    expect(models).toMatchObject([
      {
        path: "/srv/data/models/qwen",
        disk: "data",
        download: { repository: "Qwen/Qwen3-4B", revision: "main", files: [] },
      },
    ]);
  });
});

describe("services", () => {
  it("a refused one is as its owner wrote it, with the reason, and takes no memory in the plan", async () => {
    const oracle = serviceOf(await referenceDeployment("concrete-bunker"), "deepseek-v32");
    expect(oracle.refused).toMatchObject({
      code: "not-fully-resident",
      reason: expect.stringContaining("needs 95.95 GiB on gpu0"),
    });
    expect(oracle.networks).toEqual(["omni-network", "internal_brain"]);
    expect(oracle.cards.map(({ name }) => name)).toEqual(["gpu0", "gpu1"]);
    expect(oracle.start.command.join(" ")).toContain("--ctx-size 8192");
    expect(oracle.memoryRequest).toBe(0);
    expect(
      serviceOf(await referenceDeployment("concrete-bunker.fixed"), "deepseek-v32").refused,
    ).toBeUndefined();
  });

  it("a card is exclusive until two services are on it", async () => {
    const shared = await docker(`
engines: { vllm: ${VLLM} }
models: { qwen: ${QWEN} }
services:
  a: { model: qwen, engine: vllm, devices: one, memoryFraction: 0.45, context: 4096 }
  b: { model: qwen, engine: vllm, devices: one, memoryFraction: 0.45, context: 4096 }
  c: { model: qwen, engine: vllm, devices: two, context: 4096 }
`);
    expect(["a", "b", "c"].map((name) => serviceOf(shared, name).exclusive)).toEqual([false, false, true]);
  });

  it("a limit on main memory is never below what is predicted, /dev/shm included", async () => {
    const { memoryRequest, memoryLimit, shm } = serviceOf(
      await referenceDeployment("ai-factory.fixed"),
      "mistral-nemo",
    );
    expect(shm).toBe(32 * 2 ** 30);
    expect(memoryRequest).toBeGreaterThan(32 * 2 ** 30);
    expect(memoryLimit).toBe(72 * 2 ** 30);
  });

  it("secrets of an environment stay references, the service's values win over the engine's", async () => {
    const deployment = await docker(`
engines: { vllm: { kind: vllm, version: 0.13.0, environment: { A: engine, B: 1 } } }
models: { qwen: ${QWEN} }
services: { chat: { model: qwen, engine: vllm, environment: { A: service, HF_TOKEN: { env: HF_TOKEN } } } }
`);
    expect(serviceOf(deployment, "chat").environment).toEqual({
      A: "service",
      B: "1",
      HF_TOKEN: { env: "HF_TOKEN" },
    });
  });
});

describe("images", () => {
  it("are pulled where somebody publishes them for the version, and built where nobody does", async () => {
    const { images, services } = await docker(`
engines: { vllm: ${VLLM}, llama: { kind: llama.cpp, version: b9246 }, own: { kind: llama.cpp } }
models:
  qwen: ${QWEN}
  gguf: { source: { file: /opt/q.gguf }, family: Qwen3-4B, quantization: Q4_K_M, format: gguf }
services:
  a: { model: qwen, engine: vllm, devices: one }
  b: { model: gguf, engine: llama, devices: two, context: 4096, sharing: shared }
  c: { model: gguf, engine: own, devices: cpu }
`);
    expect(services.map(({ image }) => image)).toEqual([
      "vllm/vllm-openai:v0.13.0",
      "ghcr.io/ggml-org/llama.cpp:server-cuda-b9246",
      "omni/llama-cpp:cpu",
    ]);
    expect(images.map(({ tag }) => tag)).toEqual(["omni/llama-cpp:cpu", "omni/node:1.2.3"]);
  });

  it("carry the registry that they are pushed to, once", async () => {
    const { images, gateway } = await referenceDeployment("leviathan.fixed");
    expect(images.map(({ tag }) => tag)).toEqual([
      "192.168.3.10:5000/omni/engine:leviathan-blackwell",
      "192.168.3.10:5000/omni/node:1.2.3",
    ]);
    expect(gateway.image).toBe("192.168.3.10:5000/omni/node:1.2.3");
  });
});

describe("clusters", () => {
  it("know whether their network plugin acts on policies: Talos' flannel from 1.13 on, cilium always", async () => {
    const at = async (talos: string, cni = ""): Promise<boolean | undefined> => {
      const { clusters } = await deploymentOf(`
omni: 1
name: box
metal: { gpus: { one: RTX 4090 } }
guest: { talos: { version: "${talos}" }, kubernetes: { version: "1.34.0"${cni} } }
runtime: kubernetes
engines: { vllm: ${VLLM} }
models: { qwen: ${QWEN} }
services: { chat: { model: qwen, engine: vllm } }
`);
      return clusters[0]?.enforcesPolicies;
    };
    expect(await at("1.12.11")).toBe(false);
    expect(await at("1.13.0")).toBe(true);
    expect(await at("1.12.11", ", cni: cilium")).toBe(true);
    expect(await at("1.13.0", ", cni: none")).toBe(false);
  });

  it("a service goes to the node that sees its cards", async () => {
    expect(serviceOf(await referenceDeployment("omni-prime.fixed"), "flux").node).toBe("talos-node-0");
    expect(serviceOf(await referenceDeployment("ai-factory.fixed"), "mistral-nemo").node).toBeUndefined();
  });
});
