import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Deployment } from "../../../src/deployment/index.ts";
import { kubernetes } from "../../../src/render/kubernetes/index.ts";
import { REFERENCE_SYSTEMS, referenceDeployment } from "../deployments.ts";
import {
  hasDefinitions,
  isManifest,
  readObjects,
  type ReadObject,
  StrictKubernetes,
} from "../strict-kubernetes.ts";

/** Kinds of others (CRDs), which the definitions of Kubernetes do not hold. */
const FOREIGN = /^(?:leaderworkerset|monitoring\.coreos|inference\.networking|kustomize|gateway\.networking)/;

const port = z.looseObject({ name: z.string().optional(), containerPort: z.number() });
const probe = z.looseObject({ failureThreshold: z.number(), periodSeconds: z.number() });
const amounts = z.record(z.string(), z.string()).optional();
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(port).default([]),
  startupProbe: probe.optional(),
  resources: z.looseObject({ requests: amounts, limits: amounts }).default({}),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});
const template = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    containers: z.array(container).min(1),
    volumes: z.array(z.looseObject({ name: z.string() })).default([]),
    runtimeClassName: z.string().optional(),
    terminationGracePeriodSeconds: z.number(),
    automountServiceAccountToken: z.boolean(),
  }),
});
const workload = z.looseObject({
  spec: z.looseObject({
    replicas: z.number(),
    progressDeadlineSeconds: z.number().optional(),
    strategy: z.looseObject({ type: z.string() }),
    selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }),
    template,
  }),
});
const service = z.looseObject({
  spec: z.looseObject({
    selector: z.record(z.string(), z.string()),
    ports: z.array(
      z.looseObject({ targetPort: z.union([z.string(), z.number()]), nodePort: z.number().optional() }),
    ),
  }),
});

interface System {
  readonly deployment: Deployment;
  readonly texts: ReadonlyMap<string, string>;
  readonly objects: readonly ReadObject[];
}

const systems = new Map<string, System>();
for (const name of REFERENCE_SYSTEMS) {
  const deployment = await referenceDeployment(name);
  if (!kubernetes.wanted(deployment)) continue;
  const { artifacts } = kubernetes.render(deployment);
  const texts = new Map(artifacts.map(({ path, content }) => [path, content]));
  const manifests = artifacts.filter(isManifest);
  systems.set(name, {
    deployment,
    texts,
    objects: manifests.flatMap(({ content }) => readObjects(content)),
  });
}

const deploymentsOf = ({ objects }: System) =>
  objects.filter(({ kind }) => kind === "Deployment").map((one) => ({ ...one, ...workload.parse(one) }));
const engineOf = (system: System, name: string) => {
  const found = deploymentsOf(system).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`no Deployment ${name}`);
  return found;
};
const variable = (one: z.infer<typeof container>, name: string): string | undefined =>
  one.env.find((variable) => variable.name === name)?.value;

describe("the reference systems", () => {
  it("are six of eight on Kubernetes", () => {
    expect([...systems.keys()]).toEqual([
      "omni-prime",
      "omni-prime.fixed",
      "leviathan",
      "leviathan.fixed",
      "ai-factory",
      "ai-factory.fixed",
    ]);
  });

  it.skipIf(!hasDefinitions)(
    "are objects that a strict API server takes (needs the definitions of Kubernetes 1.35)",
    () => {
      const strict = new StrictKubernetes();
      const wrong = [...systems].flatMap(([name, { objects }]) =>
        objects
          .filter(({ apiVersion }) => !FOREIGN.test(apiVersion))
          .flatMap((one) =>
            strict.errors(one).map((error) => `${name} ${one.kind} ${one.metadata.name}: ${error}`),
          ),
      );
      expect(wrong).toEqual([]);
      expect(strict.errors({ apiVersion: "v1", kind: "Pod", metadata: { nmae: "x" } })).toHaveLength(1);
    },
  );
});

describe.each([...systems])("%s", (_name, system) => {
  const { deployment, texts, objects } = system;
  const services = deployment.services.filter(({ runtime }) => runtime === "kubernetes");

  it("renders the same bytes twice", () => {
    for (const { path, content } of kubernetes.render(deployment).artifacts)
      expect(content).toBe(texts.get(path));
  });

  it("says of every object who asks for it, and under which labels it is found", () => {
    for (const { metadata, kind } of objects) {
      expect(metadata.annotations?.["omni.internal/asked-for-by"], `${kind} ${metadata.name}`).toMatch(
        /^[a-z]/,
      );
      expect(metadata.labels).toMatchObject({
        "app.kubernetes.io/part-of": deployment.name,
        "app.kubernetes.io/managed-by": "omni",
      });
    }
    const named = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""} ${metadata.name}`);
    expect(new Set(named).size).toBe(named.length);
  });

  it("begins every file with what it is", () => {
    const tops = [...texts].map(([path, text]) => ({
      path,
      top: (text.split(/\n(?!# )/)[0] ?? "").replaceAll("\n# ", " "),
    }));
    expect(tops.filter(({ top }) => !/^(?:# .*rendered by Omni|<!-- Rendered by Omni)/i.test(top))).toEqual(
      [],
    );
  });

  it("selects what the pods are labelled with, and mounts only volumes that are there", () => {
    for (const { spec } of deploymentsOf(system)) {
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
      const volumes = new Set(spec.template.spec.volumes.map((volume) => volume.name));
      for (const one of spec.template.spec.containers)
        for (const mount of one.volumeMounts) expect(volumes, mount.name).toContain(mount.name);
    }
  });

  it("has pods behind every Service, at ports that they name", () => {
    const pods = deploymentsOf(system).map(({ spec }) => spec.template);
    for (const one of objects.filter(({ kind }) => kind === "Service")) {
      const { selector, ports } = service.parse(one).spec;
      const behind = pods.filter((pod) =>
        Object.entries(selector).every(([key, value]) => pod.metadata.labels[key] === value),
      );
      expect(behind, one.metadata.name).toHaveLength(1);
      const names = behind.flatMap((pod) => pod.spec.containers.flatMap((c) => c.ports.map((p) => p.name)));
      for (const { targetPort } of ports) expect(names).toContain(targetPort);
    }
  });

  it("gives a NodePort to nobody twice, and to those who ask", () => {
    const asked = objects
      .filter(({ kind }) => kind === "Service")
      .flatMap((one) => service.parse(one).spec.ports.flatMap(({ nodePort }) => nodePort ?? []));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toEqual(expect.arrayContaining(services.flatMap(({ nodePort }) => nodePort ?? [])));
  });

  it("waits as long as loading takes before anything is restarted or given up", () => {
    for (const { name, loadTimeout, drainTimeout } of services) {
      const { spec } = engineOf(system, name);
      const [engine] = spec.template.spec.containers;
      const start = engine?.startupProbe ?? { failureThreshold: 0, periodSeconds: 0 };
      expect(start.failureThreshold * start.periodSeconds * 1000).toBeGreaterThanOrEqual(loadTimeout);
      expect((spec.progressDeadlineSeconds ?? 0) * 1000).toBeGreaterThan(loadTimeout);
      expect(spec.template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(drainTimeout);
    }
  });

  it("gives cards by exactly one mechanism, and none to anyone else", () => {
    for (const one of services) {
      const pod = engineOf(system, one.name).spec.template.spec;
      const [engine] = pod.containers;
      const uuids = one.cards.map(({ uuid, index }) => uuid ?? `${index ?? "unknown"}`);
      expect(engine === undefined ? undefined : variable(engine, "NVIDIA_VISIBLE_DEVICES")).toBe(
        uuids.length > 0 ? uuids.join(",") : "void",
      );
      expect(JSON.stringify(engine?.resources)).not.toContain("nvidia.com/gpu");
      expect(pod.runtimeClassName).toBe(uuids.length > 0 ? "nvidia" : undefined);
    }
    const others = deploymentsOf(system).filter(
      ({ metadata }) => !services.some(({ name }) => name === metadata.name),
    );
    const given = others.flatMap(({ spec }) =>
      spec.template.spec.containers.map((one) => variable(one, "NVIDIA_VISIBLE_DEVICES")),
    );
    expect(given.filter((one) => one !== "void")).toEqual([]);
  });

  it("starts what the plan placed, and nothing that it refused", () => {
    for (const one of services) {
      const { spec, metadata } = engineOf(system, one.name);
      expect(spec.replicas, one.name).toBe(one.refused === undefined ? 1 : 0);
      expect(spec.strategy.type).toBe("Recreate");
      const why = metadata.annotations?.["omni.internal/not-started-because"];
      expect(why === undefined).toBe(spec.replicas === 1);
      expect(why ?? "").toContain(one.refused?.reason ?? "");
    }
  });

  it("hands no pod a token of the API", () => {
    for (const { spec } of deploymentsOf(system))
      expect(spec.template.spec.automountServiceAccountToken).toBe(false);
  });

  it("names every file in README.md", () => {
    const readme = [...texts].find(([path]) => path.endsWith("README.md"))?.[1] ?? "";
    const own = [...texts.keys()].map((path) => path.split("/").slice(2).join("/"));
    const unnamed = own.filter(
      (path) => !/README\.md$|kustomization\.yaml$/.test(path) && !readme.includes(path),
    );
    expect(unnamed).toEqual([]);
  });
});

describe("omni-prime as its owner wrote it", () => {
  const system = systems.get("omni-prime");
  if (system === undefined) throw new Error("omni-prime is on Kubernetes");
  const { diagnostics } = kubernetes.render(system.deployment);

  it("drops the second and third pinning, and says so", () => {
    expect(diagnostics.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        "services.deepseek-v3.environment.NVIDIA_VISIBLE_DEVICES",
        "services.deepseek-v3.resources.limits.nvidia.com/gpu",
      ]),
    );
  });

  it("keeps the names and ports of its document", () => {
    const [engine] = engineOf(system, "deepseek-v3").spec.template.spec.containers;
    expect(engine?.image).toBe("vllm/vllm-openai:latest");
    expect([...(engine?.command ?? [])]).toEqual(["vllm"]);
    expect(system.objects.find(({ kind }) => kind === "Namespace")?.metadata).toMatchObject({
      name: "ai-workloads",
      labels: {
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/enforce-version": "v1.35",
        "pod-security.kubernetes.io/warn": "privileged",
      },
    });
  });

  it("refers to secrets and holds none", () => {
    const gateway = [...system.texts].find(([path]) => path.endsWith("gateway.yaml"))?.[1] ?? "";
    expect(gateway).toContain("name: omni-prime-secrets\n                  key: OMNI_KEY\n");
    expect([...system.texts.values()].join("\n")).not.toContain("kind: Secret");
  });

  it("has the shell pod on the NVMe, made without the kubelet's help", () => {
    const shell = engineOf(system, "omni-prime-command-module").spec.template.spec;
    expect(shell).toMatchObject({
      volumes: [{ hostPath: { path: "/var/mnt/data", type: "Directory" } }],
      containers: [{ volumeMounts: [{ mountPath: "/workspace", subPath: "command-module" }] }],
      initContainers: [{ args: ["/volume/command-module"] }],
    });
  });
});

describe("ai-factory", () => {
  const system = systems.get("ai-factory");
  if (system === undefined) throw new Error("ai-factory is on Kubernetes");

  it("asks for the UUIDs that its document lacks", () => {
    const { diagnostics } = kubernetes.render(system.deployment);
    const asked = diagnostics.filter(({ code }) => code === "render.needs-value");
    expect(asked.filter(({ path }) => path?.startsWith("machines."))).toMatchObject(
      ["gpu-0", "gpu-5"].map((name) => ({
        severity: "warning",
        path: `machines.ai-factory.gpus.${name}`,
        hint: expect.stringContaining("nvidia-smi -L"),
      })),
    );
  });

  it("carries Triton's repository file by file, and its shared memory in the request", () => {
    const pod = engineOf(system, "mistral-nemo").spec.template.spec;
    const [engine] = pod.containers;
    expect(engine?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual([
      "/models",
      "/repository/mistral-nemo/config.pbtxt",
      "/repository/mistral-nemo/1/model.json",
      "/dev/shm",
    ]);
    expect(engine?.resources.requests?.["memory"]).toBe("32768Mi");
    expect(pod.volumes).toContainEqual({ name: "shm", emptyDir: { medium: "Memory", sizeLimit: "32768Mi" } });
  });

  it("has the RuntimeClass that its owner asks for", () => {
    expect(system.objects.find(({ kind }) => kind === "RuntimeClass")).toMatchObject({
      apiVersion: "node.k8s.io/v1",
      metadata: { name: "nvidia" },
      handler: "nvidia",
    });
  });
});
