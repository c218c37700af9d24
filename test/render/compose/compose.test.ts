import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { compose } from "../../../src/render/compose/index.ts";
import { loadSpec } from "../../../src/spec/index.ts";
import { deploymentOf, REFERENCE_SYSTEMS, referenceDeployment } from "../deployments.ts";
import { everything, FILE, fileSchema, NODE, rendered } from "./lab.ts";

const SCHEMA = resolve(import.meta.dirname, "../../../../shared/schemas/compose-spec.json");

const validator = () => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Its own `$schema` is written with https, under which no validator knows draft 7.
  const text = readFileSync(SCHEMA, "utf8").replace(
    "https://json-schema.org/draft-07",
    "http://json-schema.org/draft-07",
  );
  return ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(text)));
};

describe("compose files", () => {
  it.skipIf(!existsSync(SCHEMA))(
    "are valid by compose-spec.json for every reference system (skipped where the schema is not there)",
    async () => {
      const valid = validator();
      const rendering = await Promise.all(REFERENCE_SYSTEMS.map((name) => referenceDeployment(name)));
      const wanted = rendering.filter((deployment) => compose.wanted(deployment));
      expect(wanted.map(({ name }) => name)).toContain("concrete-bunker");
      const files = wanted.flatMap((deployment) =>
        compose.render(deployment).artifacts.filter(({ path }) => path.endsWith("compose.yaml")),
      );
      for (const { content } of files) {
        valid(parse(content));
        expect(valid.errors).toBeNull();
      }
    },
  );

  it.skipIf(!existsSync(SCHEMA))(
    "are valid with everything that a spec can ask for (skipped where the schema is not there)",
    async () => {
      const valid = validator();
      for (const gpus of ["device-requests", "cdi", "environment"]) {
        const { contentOf } = await rendered(everything(gpus));
        valid(parse(contentOf("compose/compose.yaml")));
        expect(valid.errors).toBeNull();
      }
    },
  );

  it("come with a spec of the gateway that Omni itself takes", async () => {
    const { contentOf } = await rendered(everything());
    const { spec, diagnostics } = loadSpec(contentOf("compose/gateway/omni.yaml"), "omni.yaml");
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(spec?.gateway.host).toBe("0.0.0.0");
    expect(spec?.engines["chat"]?.url).toBe("http://chat:9931/v1");
  });

  it("are the same bytes each time", async () => {
    const [one, two] = await Promise.all([rendered(everything()), rendered(everything())]);
    expect(one.artifacts).toEqual(two.artifacts);
  });
});

describe("a service of a compose file", () => {
  it("gets its card by UUID and by nothing else, in each of the three ways", async () => {
    const keysWith = async (gpus: string) => {
      const { fileAt } = await rendered(everything(gpus));
      const { deploy, devices, runtime, environment } = fileAt(FILE).services["chat"] ?? {};
      return { deploy, devices, runtime, environment };
    };
    const uuid = "GPU-11111111-2222-3333-4444-555555555555";
    expect(await keysWith("device-requests")).toMatchObject({
      deploy: {
        resources: {
          reservations: { devices: [{ driver: "nvidia", device_ids: [uuid], capabilities: ["gpu"] }] },
        },
      },
      devices: undefined,
      runtime: undefined,
    });
    expect(await keysWith("cdi")).toMatchObject({ devices: [`nvidia.com/gpu=${uuid}`], deploy: undefined });
    expect(await keysWith("environment")).toMatchObject({
      runtime: "nvidia",
      environment: { NVIDIA_VISIBLE_DEVICES: uuid },
      deploy: undefined,
      devices: undefined,
    });
  });

  it("without cards sees none, though its image asks for all, and no more processors than it computes on", async () => {
    const { fileAt } = await rendered(everything());
    const { environment, cpus, deploy, devices } = fileAt(FILE).services["quick"] ?? {};
    expect({ environment, cpus, deploy, devices }).toMatchObject({
      environment: { NVIDIA_VISIBLE_DEVICES: "void" },
      cpus: 8,
      deploy: undefined,
      devices: undefined,
    });
  });

  it("whose card nobody can name waits for its owner, and says which value is missing", async () => {
    const { fileAt, diagnostics, contentOf } = await rendered(
      `${NODE}\nservices: { chat: { model: small, engine: cpp, devices: bare } }`,
    );
    expect(JSON.stringify(fileAt(FILE).services["chat"]?.["deploy"])).toContain(
      '"device_ids":["<OMNI_GPU_BARE>"]',
    );
    expect(contentOf("compose/compose.yaml")).toContain("${OMNI_GPU_BARE:?set OMNI_GPU_BARE in .env}");
    expect(contentOf("compose/.env.example")).toMatch(/^OMNI_GPU_BARE=$/m);
    expect(diagnostics).toContainEqual(
      expect.objectContaining({
        code: "render.needs-value",
        path: expect.stringMatching(/^machines\.[\w-]+\.gpus\.bare\.uuid$/),
      }),
    );
  });

  it("is given what the spec asks for: memory, shm, locked weights, mounts, time to load and to drain", async () => {
    const { fileAt } = await rendered(everything());
    expect(fileAt(FILE).services["chat"]).toMatchObject({
      image: "ghcr.io/ggml-org/llama.cpp:server-cuda-b6000",
      restart: "unless-stopped",
      stop_grace_period: "90s",
      healthcheck: { start_period: "45m" },
      mem_limit: "48g",
      shm_size: "2g",
      ulimits: { memlock: { soft: -1, hard: -1 } },
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      depends_on: { quick: { condition: "service_healthy" } },
      labels: { "org.omni.service": "chat", team: "a$b" },
    });
    expect(fileAt(FILE).services["chat"]?.["volumes"]).toEqual([
      { type: "volume", source: "cache", target: "/cache", volume: { subpath: "sub" } },
      {
        type: "bind",
        source: "/srv/x",
        target: "/x",
        read_only: true,
        bind: { create_host_path: true, propagation: "rslave" },
      },
      expect.objectContaining({ source: "/srv/models", read_only: true, bind: { create_host_path: false } }),
    ]);
    expect(fileAt(FILE).volumes).toEqual({ cache: {}, "omni-state": {} });
  });

  it("gets secrets by reference only", async () => {
    const { fileAt, contentOf } = await rendered(everything());
    const chat = fileAt(FILE).services["chat"];
    expect(chat?.["environment"]).toMatchObject({ HF_TOKEN: "<HF_TOKEN>", PLAIN: "a$b" });
    expect(chat?.["secrets"]).toEqual([{ source: "token" }]);
    expect(fileAt(FILE).secrets).toEqual({ token: { file: "/etc/omni/token" } });
    expect(chat?.["entrypoint"]).toEqual([
      "sh",
      "-c",
      'API_TOKEN="$(cat /run/secrets/token)" && export API_TOKEN && exec "$@"',
      "sh",
      expect.any(String),
    ]);
    const names = contentOf("compose/.env.example")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(names).toEqual(["OMNI_KEY=", "HF_TOKEN="]);
  });
});

describe("services that take turns on a card", () => {
  it("start with the one that stands; the other one has a profile and the command to change over", async () => {
    const deployment = await deploymentOf(
      `${NODE}\nservices:\n  chat: { model: small, engine: cpp, devices: big }\n  other: { model: small, engine: cpp, devices: big }`,
    );
    const services = deployment.services.map((service) => ({
      ...service,
      turns: { set: "big", standing: service.name === "chat" },
    }));
    const content = compose.render({ ...deployment, services }).artifacts[0]?.content ?? "";
    const { services: found } = fileSchema.parse(parse(content));
    expect(found["chat"]?.["profiles"]).toBeUndefined();
    expect(found["other"]?.["profiles"]).toEqual(["waiting"]);
    expect(content).toContain(
      "# docker compose stop chat && docker compose --profile waiting up -d --no-deps other",
    );
  });
});

describe("Docker on several machines", () => {
  it("gets a file a machine; what the gateway asks from another one is published there, each on its own port", async () => {
    const { fileAt, contentOf, diagnostics } = await rendered(`
omni: 1
name: two
runtime: docker
machines:
  one: { memory: { size: 64GiB, available: 60GiB }, gpus: { a: { model: RTX 5090, uuid: GPU-11111111-2222-3333-4444-555555555555 } } }
  other: { address: 192.168.3.11, memory: { size: 64GiB, available: 60GiB }, gpus: { b: { model: RTX 5090 } } }
models:
  small: { source: { file: /srv/models/small.gguf }, family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M }
engines:
  cpp: { kind: llama.cpp, image: "cpp:1", architectures: ["12.0"] }
services:
  chat: { model: small, engine: cpp, devices: a, machine: one, context: 4096 }
  far: { model: small, engine: cpp, devices: b, machine: other, context: 4096 }
  further: { model: small, engine: cpp, devices: cpu, machine: other, context: 4096 }
`);
    expect(Object.keys(fileAt("compose/one/compose.yaml").services)).toEqual(["gateway", "chat"]);
    const { services } = fileAt("compose/other/compose.yaml");
    expect(services["far"]?.["ports"]).toEqual([
      { target: 9931, published: "9931", host_ip: "192.168.3.11", protocol: "tcp" },
    ]);
    expect(services["further"]?.["ports"]).toEqual([
      { target: 9931, published: "9932", host_ip: "192.168.3.11", protocol: "tcp" },
    ]);
    const { spec } = loadSpec(contentOf("compose/one/gateway/omni.yaml"), "omni.yaml");
    expect(spec?.engines["chat"]?.url).toBe("http://chat:9931/v1");
    expect(spec?.engines["further"]?.url).toBe("http://192.168.3.11:9932/v1");
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code: "render.needs-value", path: "machines.other.gpus.b.uuid" }),
    );
  });
});

describe("a refused service", () => {
  it("is rendered as written, under a profile that nobody enables by accident", async () => {
    const { artifacts, diagnostics } = compose.render(await referenceDeployment("concrete-bunker"));
    const content = artifacts.find(({ path }) => path === "compose/compose.yaml")?.content ?? "";
    const { services } = fileSchema.parse(parse(content));
    expect(services["deepseek-v32"]).toMatchObject({
      profiles: ["refused"],
      networks: ["omni-network", "internal_brain"],
    });
    expect(services["qwen-executor"]?.["profiles"]).toBeUndefined();
    expect(content).toContain("# NOT isolated, as written in omni.yaml: internal_brain has no way out");
    expect(diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual(
      expect.arrayContaining([
        "render.refused-service services.deepseek-v32",
        "render.not-applicable services.deepseek-v32.networks",
      ]),
    );
  });
});
