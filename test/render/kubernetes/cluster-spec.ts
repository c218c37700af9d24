import { parseAllDocuments } from "yaml";
import { z } from "zod";
import type { Deployment } from "../../../src/deployment/index.ts";
import { kubernetes } from "../../../src/render/kubernetes/index.ts";
import { deploymentOf } from "../deployments.ts";
import { isManifest } from "../strict-kubernetes.ts";

interface Choices {
  readonly version?: string;
  readonly pinning?: string;
  readonly kubernetes?: Readonly<Record<string, unknown>>;
  readonly guest?: Readonly<Record<string, unknown>>;
  readonly service?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

const UUID = (digit: number): string => `GPU-0000000${digit}-0000-0000-0000-000000000000`;

/** A deployment on one cluster: a small model on one of two cards, one service on the processor beside it. */
export async function clusterDeployment(choices: Choices = {}): Promise<Deployment> {
  const { version = "1.35.0", pinning = "uuid" } = choices;
  return deploymentOf(
    JSON.stringify({
      omni: 1,
      name: "test-node",
      metal: {
        cpu: { cores: 32, threads: 64 },
        memory: { size: "256GiB" },
        gpus: {
          first: { model: "RTX 3090", uuid: UUID(1) },
          second: { model: "RTX 3090", uuid: UUID(2) },
        },
        disks: { nvme: { mount: "/mnt/nvme", role: "models" } },
      },
      guest: {
        kubernetes: { version, nodes: { "node-0": { address: "10.0.0.2" } }, ...choices.guest },
        registries: { local: { address: "10.0.0.1:5000" } },
      },
      runtime: {
        kind: "kubernetes",
        kubernetes: { namespace: "ai", podSecurity: "privileged", pinning, ...choices.kubernetes },
      },
      models: {
        small: {
          source: "disk:nvme/small",
          family: "Mistral-Nemo-12B",
          format: "safetensors",
          size: "12GB",
          quantization: "fp8",
        },
      },
      engines: { vllm: { kind: "vllm", version: "0.13.0" } },
      keys: { owner: { env: "OMNI_KEY", admin: true } },
      services: {
        chat: { model: "small", engine: "vllm", devices: "first", context: 4096, ...choices.service },
      },
      ...choices.more,
    }),
  );
}

const read = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
type Read = z.infer<typeof read>;

/** Files that are the same in every deployment, long programs among them, are parsed once. */
const known = new Map<string, readonly Read[]>();

function readOnce(content: string): readonly Read[] {
  const objects =
    known.get(content) ??
    parseAllDocuments(content, { version: "1.1" }).map((document) => read.parse(document.toJS()));
  known.set(content, objects);
  return objects;
}

/** All objects that a deployment renders to, by kind and name. */
export function objectsOf(deployment: Deployment): ReadonlyMap<string, Read> {
  const texts = kubernetes.render(deployment).artifacts.filter(isManifest);
  const objects = texts.flatMap(({ content }) => readOnce(content));
  return new Map(objects.map((one) => [`${one.kind} ${one.metadata.name}`, one]));
}

const workload = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        containers: z.array(
          z.looseObject({
            command: z.array(z.string()).default([]),
            args: z.array(z.string()).default([]),
            env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
            resources: z.unknown().optional(),
          }),
        ),
      }),
    }),
  }),
});

/** The pod and the one container of a Deployment among these objects. */
export function podIn(objects: ReadonlyMap<string, Read>, name: string) {
  const { spec } = workload.parse(objects.get(`Deployment ${name}`));
  const [container] = spec.template.spec.containers;
  if (container === undefined) throw new Error(`${name} has no container`);
  return { ...spec.template, replicas: spec.replicas, container };
}

export const podOf = (deployment: Deployment, name: string) => podIn(objectsOf(deployment), name);

/** What the renderer has to say about a deployment: severity, path and message, one line each. */
export const findingsOf = (deployment: Deployment): readonly string[] =>
  kubernetes
    .render(deployment)
    .diagnostics.map(({ severity, path, message }) => `${severity} ${path ?? ""}: ${message}`);
