import { beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import type { Diagnostic } from "../../../src/core/index.ts";
import { kubernetes } from "../../../src/render/kubernetes/index.ts";
import { loadSpec } from "../../../src/spec/index.ts";
import { deploymentOf } from "../deployments.ts";
import { hasDefinitions, isManifest, StrictKubernetes } from "../strict-kubernetes.ts";

const UUID = (digit: number): string => `GPU-0000000${digit}-0000-0000-0000-000000000000`;
const GGUF = "family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M";

/** Much that is legal and rare at once: three machines, replicas, all runtimes, names of Omni's own objects. */
const ODD = `
omni: 1
name: odd
machines:
  big:
    address: 10.0.0.1
    cpu: { cores: 64 }
    memory: { size: 512GiB }
    gpus: { ${[0, 1, 2, 3].map((n) => `g${n}: { model: RTX PRO 6000 Blackwell, uuid: ${UUID(n)} }`).join(", ")}, bare: { model: RTX 5090, index: 4 } }
    disks: { fast: { serial: ABC123, role: models, mount: /var/mnt/fast } }
  small: { address: 10.0.0.2, cpu: { cores: 32 }, memory: { size: 128GiB } }
  other: { address: 10.0.0.3, cpu: { cores: 32 }, memory: { size: 128GiB } }
guests:
  vms:
    machine: big
    kubernetes:
      version: "1.35.0"
      clusterName: main
      cni: cilium
      nodes: { n1: { address: 10.0.1.1, machine: big, role: both }, n2: { address: 10.0.1.2, machine: small, role: worker } }
runtime:
  kind: kubernetes
  kubernetes: { namespace: ai, podSecurity: privileged, kustomize: true, runtimeClass: nvidia, storageClass: local, labels: { team: "a b", cost/center: x } }
models:
  chat: { source: "disk:fast/chat.gguf", ${GGUF}, projector: "hf:owner/vision:f16" }
  draft: { source: "hf:owner/draft-GGUF:Q4_K_M", ${GGUF}, store: { disk: fast, path: draft } }
  tiny: builtin:omni-demo
  far: { source: { remote: gpt-5 } }
engines:
  cpp: { kind: llama.cpp }
  cloud: { kind: openai, url: "https://api.example.com/v1", apiKey: { env: CLOUD_KEY } }
services:
  chat: { model: chat, engine: cpp, machine: big, devices: [g0, g1], draft: { model: draft }, context: 8192, after: [3b] }
  3b: { model: chat, engine: cpp, machine: big, devices: bare, context: 4096, nodePort: 30111 }
  odd-gateway: { model: chat, engine: cpp, machine: small, devices: cpu, context: 4096, replicas: 3, memory: 16GiB }
  odd-command-module: { model: chat, engine: cpp, machine: big, devices: g2, context: 4096, command: [sh, -c, 'exec llama-server -m "$HOME"'] }
  pic: { engine: comfyui, machine: big, devices: g3, takes: { vram: 8GiB }, privileged: true, mounts: [{ volume: out, at: /out, size: 10GiB, readOnly: false }, { host: "/data/x y", at: /in, create: true }] }
  docked: { model: chat, engine: cpp, runtime: docker, machine: other, devices: cpu, context: 4096, hostPort: 9999 }
  inside: { model: tiny, engine: embedded }
  far: { model: far, engine: cloud }
routes: { any: { services: [chat, odd-gateway, docked, far, inside] } }
tools:
  docs: { filesystem: { roots: { home: ~/Documents, shared: { path: /srv/shared, writable: true } } } }
  again: { filesystem: { roots: { shared: /srv/shared } } }
  web: { http: { url: "https://mcp.example.com/mcp", headers: { authorization: { file: secrets/mcp } } } }
networks: { whole: { namespace: ai, internal: true } }
gateway: { host: 0.0.0.0, nodePort: 30080, store: { postgres: { env: STORE } } }
telemetry: { traces: { otlp: "http://otel:4318", headers: { x: { env: OTEL } } } }
keys: { me: { env: OMNI_KEY, admin: true } }
runbook: { commandModule: { image: "ubuntu:24.04", disk: fast, path: shell } }
`;

const object = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const named = z.looseObject({ name: z.string(), mountPath: z.string() });

describe("a node with all that is legal and rare", () => {
  const objects: z.infer<typeof object>[] = [];
  const contents = new Map<string, string>();
  let found: readonly Diagnostic[] = [];
  beforeAll(async () => {
    const { artifacts, diagnostics } = kubernetes.render(await deploymentOf(ODD));
    found = diagnostics;
    for (const artifact of artifacts) {
      contents.set(artifact.path.replace("kubernetes/main/", ""), artifact.content);
      if (isManifest(artifact))
        objects.push(...parseAllDocuments(artifact.content).map((document) => object.parse(document.toJS())));
    }
  });
  const objectNamed = (kind: string, name: string) =>
    objects.find((one) => one.kind === kind && one.metadata.name === name);
  const contentOf = (path: string): string => contents.get(path) ?? "";

  it.skipIf(!hasDefinitions)("has objects that Kubernetes takes (needs ../shared/schemas)", () => {
    const strict = new StrictKubernetes();
    expect(objects.flatMap((one) => strict.errors(one))).toEqual([]);
  });

  it("has no two objects of one kind and name", () => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(objectNamed("Deployment", "odd-gateway-2")).toBeDefined();
    expect(objectNamed("Deployment", "odd-gateway-4")).toBeDefined();
    expect(objectNamed("Deployment", "odd-command-module-2")).toBeDefined();
  });

  it("mounts whole paths only, each once in a container, and names those that it leaves out", () => {
    const mounts: string[][] = [];
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(visit);
      else if (typeof value === "object" && value !== null)
        for (const [key, inner] of Object.entries(value)) {
          if (key === "volumeMounts")
            mounts.push(
              z
                .array(named)
                .parse(inner)
                .map(({ mountPath }) => mountPath),
            );
          visit(inner);
        }
    };
    visit(objects);
    expect(mounts.flat().filter((path) => !path.startsWith("/"))).toEqual([]);
    expect(mounts.filter((paths) => new Set(paths).size !== paths.length)).toEqual([]);
    expect(mounts.flat()).toContain("/srv/shared");
    const left = found.filter(({ message }) => message.includes("begin at the root"));
    expect(left.map(({ path, message }) => [path, message.split(" ")[0]])).toEqual([
      ["tools", "~/Documents"],
      ["keys", "secrets/mcp"],
    ]);
  });

  it("downloads the model that proposes tokens too", () => {
    expect(JSON.stringify(objectNamed("Job", "download-draft"))).toContain("owner/draft-GGUF");
  });

  it("keeps what the shell writes on the one machine's disk that has the name", () => {
    expect(JSON.stringify(objectNamed("Deployment", "odd-command-module-2"))).toContain(
      '"path":"/var/mnt/fast/shell"',
    );
  });

  it("lets the gateway and downloads out of a namespace that is closed", () => {
    expect(objectNamed("NetworkPolicy", "isolate-whole")).toMatchObject({
      spec: {
        podSelector: {
          matchExpressions: [
            { key: "app.kubernetes.io/name", operator: "NotIn", values: ["omni-gateway", "omni-download"] },
          ],
        },
        egress: expect.arrayContaining([{ to: [{ podSelector: {} }] }]),
      },
    });
  });

  it("says which images no registry has", () => {
    const one = found.find(({ path }) => path === "guests.vms.registries");
    expect(one?.message).toMatch(
      /^omni\/llama-cpp:.*omni\/node:1\.2\.3: built by images\/build\.sh and pushed nowhere/,
    );
  });

  it("names a card that has an index alone once", () => {
    expect(contentOf("services/3b.yaml").replaceAll(/\n# /g, " ")).toContain(
      "Its cards are bare (RTX 5090), by index for want of a UUID, in NVIDIA_VISIBLE_DEVICES",
    );
  });

  it("has a gateway whose spec is without fault and serves the built-in model itself", () => {
    const config = z
      .looseObject({ data: z.record(z.string(), z.string()) })
      .parse(
        objects.find(
          ({ kind, metadata }) => kind === "ConfigMap" && /gateway-\d-config$/.test(metadata.name),
        ),
      );
    const { spec, diagnostics } = loadSpec(config.data["omni.yaml"] ?? "", "gateway.yaml");
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(spec?.services["inside"]?.engine).toEqual(["embedded"]);
    expect(spec?.engines["docked"]?.url).toBe("http://10.0.0.3:9999/v1");
  });

  it("has every file that is applied in its kustomize base", () => {
    const base = z
      .looseObject({ resources: z.array(z.string()) })
      .parse(parse(contentOf("kustomization.yaml")));
    const files = [...contents.keys()].filter((path) => isManifest({ path }));
    expect([...base.resources].toSorted()).toEqual(files.toSorted());
  });
});
