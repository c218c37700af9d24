import { describe, expect, it } from "vitest";
import type { Deployment } from "../../src/deployment/index.ts";
import { yamlDocument } from "../../src/render/documents/yaml.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { deploymentOf } from "./deployments.ts";

const node = (rest: string): Promise<Deployment> =>
  deploymentOf(`
omni: 1
name: mixed
metal: { cpu: { cores: 16 }, memory: { size: 64GiB } }
runtime: docker
${rest}`);

/** The gateway's own spec as Omni reads it in the container; it has to be without fault. */
function configOf(deployment: Deployment) {
  const config = deployment.gateway.config(({ name }) => `http://${name}:8000`);
  const { spec, diagnostics } = loadSpec(yamlDocument(config), "gateway.yaml");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (spec === undefined) throw new Error("no spec");
  return spec;
}

const CPP =
  "{ source: { file: /srv/small.gguf }, family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M }";

describe("the gateway's own spec of a mixed deployment", () => {
  it("serves a built-in model itself, with the routes and keys that lead to it", async () => {
    const deployment = await node(`
models: { small: ${CPP}, tiny: builtin:omni-demo }
engines: { inside: embedded }
services:
  chat: { model: small, engine: llama.cpp, devices: cpu, context: 4096 }
  demo: { model: tiny, engine: inside, role: demo }
routes: { any: { services: [chat, demo] }, demo-only: demo }
keys: { owner: { env: OMNI_KEY }, guest: { env: GUEST, routes: [demo-only] } }
`);
    const { services, routes, keys, engines } = configOf(deployment);
    expect(services["demo"]).toMatchObject({ model: "tiny", engine: ["inside"], role: "demo" });
    expect(engines["inside"]?.kind).toBe("embedded");
    expect(routes["any"]?.services.map(({ service }) => service)).toEqual(["chat", "demo"]);
    expect(keys["guest"]?.routes).toEqual(["demo-only"]);
  });

  it("leaves out what needs a file of the node, and a key for that alone, and says so", async () => {
    const deployment = await node(`
models: { small: ${CPP} }
services:
  chat: { model: small, engine: llama.cpp, devices: cpu, context: 4096 }
  inside: { model: small, engine: embedded, devices: cpu, context: 4096 }
routes: { any: [chat, inside], alone: inside }
keys: { owner: { env: OMNI_KEY, routes: [any, small] }, guest: { env: GUEST, routes: [alone] } }
`);
    const { services, routes, keys } = configOf(deployment);
    expect(Object.keys(services)).toEqual(["chat"]);
    expect(Object.keys(routes)).toEqual(["any"]);
    expect(Object.keys(keys)).toEqual(["owner"]);
    expect(keys["owner"]?.routes).toEqual(["any", "small"]);
    const paths = deployment.findings
      .filter(({ code }) => code === "render.not-applicable")
      .map(({ path }) => path);
    expect(paths).toEqual(["services.inside", "keys.guest.routes"]);
  });

  it("keeps of a remote service what a gateway acts on, and of its engines the remote ones", async () => {
    const deployment = await node(`
models: { far: { source: { remote: gpt-5 } }, small: ${CPP} }
engines: { cloud: { kind: openai, url: "https://api.example.com/v1", apiKey: { env: CLOUD } } }
services:
  chat: { model: small, engine: llama.cpp, devices: cpu, context: 4096 }
  far: { model: far, engine: cloud, networks: front, priority: 2, after: [chat], expect: { tokensPerSecond: 3 } }
networks: { front: {} }
`);
    const { far } = configOf(deployment).services;
    expect(far).toMatchObject({ engine: ["cloud"], model: "far", priority: 2, after: [] });
    expect(far?.networks).toEqual([]);
  });

  it("tells an engine and a model of the spec from a service of the same name", async () => {
    const deployment = await node(`
models: { chat: { source: { remote: gpt-5 } }, small: ${CPP} }
engines: { chat: { kind: openai, url: "https://api.example.com/v1", apiKey: { env: CLOUD } } }
services:
  chat: { model: small, engine: llama.cpp, devices: cpu, context: 4096 }
  far: { model: chat, engine: chat }
`);
    const { services, engines, models } = configOf(deployment);
    const called = (name: string) => ({
      url: engines[services[name]?.engine[0] ?? ""]?.url,
      model: models[services[name]?.model ?? ""]?.source.remote,
    });
    expect(called("chat")).toEqual({ url: "http://chat:8000/v1", model: "chat" });
    // A model of one service can be asked for by its own name, as on a node.
    expect(services["chat"]?.model).toBe("small");
    expect(called("far")).toEqual({ url: "https://api.example.com/v1", model: "gpt-5" });
  });

  it("has no folder for its store that its container has not, and shows each folder of the node once", async () => {
    const deployment = await node(`
models: { small: ${CPP} }
services: { chat: { model: small, engine: llama.cpp, devices: cpu, context: 4096 } }
gateway: { store: { folder: /srv/omni } }
tools:
  read: { filesystem: { roots: { docs: /srv/docs } } }
  write: { filesystem: { roots: { docs: { path: /srv/docs/, writable: true } } } }
  local: { command: [uvx, mcp-server-git] }
`);
    expect(configOf(deployment).gateway.store).toBeUndefined();
    expect(deployment.gateway.folders).toEqual([{ path: "/srv/docs", writable: true }]);
    expect(deployment.findings.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["gateway.store.folder", "tools.local.command"]),
    );
  });
});
