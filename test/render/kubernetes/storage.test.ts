import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Cluster, DeployedMount, DeployedService, Deployment } from "../../../src/deployment/index.ts";
import { fileText } from "../../../src/render/kubernetes/object.ts";
import { clusterStorage } from "../../../src/render/kubernetes/storage/cluster-storage.ts";
import { volumesOf } from "../../../src/render/kubernetes/storage/volumes.ts";
import { REFERENCE_SYSTEMS, referenceDeployment } from "../deployments.ts";
import { hasDefinitions, readObjects, type ReadObject, StrictKubernetes } from "../strict-kubernetes.ts";
import { clusterDeployment } from "./cluster-spec.ts";

const variable = z.looseObject({ name: z.string(), value: z.string().optional() });
const job = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        nodeSelector: z.record(z.string(), z.string()).optional(),
        restartPolicy: z.string(),
        securityContext: z.unknown().optional(),
        containers: z.array(
          z.looseObject({
            image: z.string(),
            env: z.array(variable),
            securityContext: z.unknown().optional(),
            volumeMounts: z.array(z.unknown()),
          }),
        ),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});

const only = (deployment: Deployment): Cluster => {
  const [cluster] = deployment.clusters;
  if (cluster === undefined) throw new Error("the deployment has a cluster");
  return cluster;
};

interface Stored {
  readonly objects: readonly ReadObject[];
  readonly paths: readonly string[];
  readonly byHand: readonly string[];
  readonly findings: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
}

function storageOf(deployment: Deployment, changes: Partial<Cluster> = {}): Stored {
  const { files, diagnostics } = clusterStorage(deployment, { ...only(deployment), ...changes });
  const texts = new Map(files.map((file) => [file.path, fileText(file)]));
  return {
    objects: [...texts.values()].flatMap((text) => readObjects(text)),
    paths: files.map(({ path }) => path),
    byHand: files.filter(({ applied }) => applied === "by-hand").map(({ path }) => path),
    findings: diagnostics.map(({ severity, path, message }) => `${severity} ${path ?? ""}: ${message}`),
    texts,
  };
}

function podOf({ objects }: Stored, name: string) {
  const found = objects.find((one) => one.kind === "Job" && one.metadata.name === name);
  const { spec } = job.parse(found).spec.template;
  const [container] = spec.containers;
  if (container === undefined) throw new Error(`${name} has no container`);
  const env = Object.fromEntries(container.env.map(({ name: key, value }) => [key, value]));
  const { volumeMounts, securityContext } = container;
  return { spec, env, volumeMounts, securityContext, raw: container.env };
}
const objectOf = ({ objects }: Stored, kind: string, name: string): ReadObject | undefined =>
  objects.find((one) => one.kind === kind && one.metadata.name === name);

/** A deployment whose model comes from a hub onto the disk at /mnt/nvme. */
const withDownload = (
  download: Record<string, unknown> = {},
  choices: Parameters<typeof clusterDeployment>[0] = {},
): Promise<Deployment> =>
  clusterDeployment({
    ...choices,
    more: {
      models: {
        small: {
          source: { hub: "owner/model", revision: "v1", ...download },
          family: "Mistral-Nemo-12B",
          format: "safetensors",
          size: "12GB",
          quantization: "fp8",
          store: { disk: "nvme", path: "small" },
        },
      },
      ...choices.more,
    },
  });

const withDisk = (deployment: Deployment, disk: Record<string, unknown>): Deployment => ({
  ...deployment,
  hosts: deployment.hosts.map((host) => ({
    ...host,
    disks: { nvme: { role: "models", format: "never", mount: "/mnt/nvme", ...disk } },
  })),
});

describe("storage of the reference systems", () => {
  it.skipIf(!hasDefinitions)("is what Kubernetes takes, key for key (needs ../shared/schemas)", async () => {
    const strict = new StrictKubernetes();
    const ways: readonly Partial<Cluster>[] = [
      { weights: "host-path", podSecurity: "baseline" },
      { weights: "user-volume", podSecurity: "privileged" },
      { weights: "claim", podSecurity: "baseline" },
      { weights: "claim", storageClass: "fast" },
    ];
    for (const name of REFERENCE_SYSTEMS) {
      const deployment = await referenceDeployment(name);
      for (const cluster of deployment.clusters)
        for (const way of ways)
          for (const object of storageOf(deployment, { ...cluster, ...way }).objects)
            expect(strict.errors(object), `${name} ${object.kind} ${object.metadata.name}`).toEqual([]);
    }
  });

  it("leviathan as written: mounts by a kernel name, and never formats by it", async () => {
    const stored = storageOf(await referenceDeployment("leviathan"));
    expect(stored.paths).toEqual([
      "storage/prepare-disk-nvme.yaml",
      "storage/download-program.yaml",
      "storage/download-deepseek-v3.yaml",
    ]);
    expect(stored.byHand).toEqual([]);
    const disk = podOf(stored, "prepare-disk-nvme");
    expect(disk.env).toEqual({
      DISK_DEVICE: "/dev/nvme0n1",
      DISK_SIZE: "4000000000000",
      DISK_FORMAT: "if-blank",
      DISK_FILESYSTEM: "xfs",
      DISK_LABEL: "omni-nvme",
      DISK_MOUNT: "/node/data",
    });
    expect(disk.spec.restartPolicy).toBe("Never");
    expect(disk.securityContext).toEqual({ privileged: true });
    expect(disk.volumeMounts).toContainEqual({
      name: "node",
      mountPath: "/node",
      mountPropagation: "Bidirectional",
    });
    const download = podOf(stored, "download-deepseek-v3");
    expect(objectOf(stored, "Job", "download-deepseek-v3")).toMatchObject({ spec: { suspend: true } });
    expect(stored.texts.get("storage/download-deepseek-v3.yaml")).toContain(
      "IT IS SUSPENDED, because the plan",
    );
    expect(download.env).toMatchObject({
      OMNI_REPOSITORY: "unsloth/DeepSeek-V3-GGUF",
      OMNI_FILES: "*Q4_K_M*",
      OMNI_TARGET: "/storage/data/models/deepseek-v3-gguf",
      OMNI_MOUNT: "/storage/data",
    });
    expect(download.spec.nodeSelector).toEqual({ "kubernetes.io/hostname": "talos-node-0" });
    expect(download.spec.volumes).toContainEqual({
      name: "storage",
      hostPath: { path: "/var/mnt", type: "Directory" },
    });
    expect(download.volumeMounts).toContainEqual({
      name: "storage",
      mountPath: "/storage",
      mountPropagation: "HostToContainer",
    });
    expect(stored.findings.join("\n")).toMatch(/Of nvme only the kernel name \/dev\/nvme0n1 is known/);
    expect(stored.findings.join("\n")).toMatch(/is not mounted after a reboot/);
  });

  it("leviathan corrected: the user volume itself, which has to be a mount", async () => {
    const stored = storageOf(await referenceDeployment("leviathan.fixed"));
    expect(stored.paths).toEqual(["storage/download-program.yaml", "storage/download-deepseek-v3.yaml"]);
    const { spec, env } = podOf(stored, "download-deepseek-v3");
    expect(stored.texts.get("storage/download-deepseek-v3.yaml")).not.toContain("suspend");
    expect(env).toMatchObject({ OMNI_TARGET: "/storage/models/deepseek-v3-gguf", OMNI_MOUNT: "/storage" });
    expect(spec.volumes).toContainEqual({
      name: "storage",
      hostPath: { path: "/var/mnt/data", type: "Directory" },
    });
    expect(stored.findings).toEqual([]);
  });
});

describe("disks that a pod prepares", () => {
  const PREPARED = { prepare: "pod", serial: "S7XX", format: "if-blank", size: 4e12 };

  it("are formatted only when somebody applies the file by hand", async () => {
    const stored = storageOf(withDisk(await clusterDeployment(), PREPARED));
    expect(stored.byHand).toEqual(["storage/prepare-disk-nvme.yaml"]);
    expect(stored.texts.get("storage/prepare-disk-nvme.yaml")).toContain("IT FORMATS THE DISK, once");
    expect(podOf(stored, "prepare-disk-nvme").env).toMatchObject({
      DISK_SERIAL: "S7XX",
      DISK_MOUNT: "/node/nvme",
    });
  });

  it("keep the namespace of the services as strict as it was", async () => {
    const stored = storageOf(withDisk(await clusterDeployment(), PREPARED), { podSecurity: "baseline" });
    expect(objectOf(stored, "Namespace", "ai-disks")?.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "privileged",
    });
    expect(objectOf(stored, "Job", "prepare-disk-nvme")?.metadata.namespace).toBe("ai-disks");
  });

  it.each([
    ["no mount point", { mount: undefined }, "nothing says where it is mounted"],
    ["a mount point at the root", { mount: "/data" }, "no folder above it"],
    ["zfs", { filesystem: "zfs" }, "has no tools for zfs"],
  ])("with %s are refused in words", async (_, change, message) => {
    const stored = storageOf(withDisk(await clusterDeployment(), { ...PREPARED, ...change }));
    expect(stored.findings.filter((line) => line.startsWith("error")).join()).toContain(message);
  });

  it("are left alone where the host or a user volume prepares them", async () => {
    for (const prepare of ["host", "user-volume", undefined])
      expect(storageOf(withDisk(await clusterDeployment(), { ...PREPARED, prepare })).paths).toEqual([]);
  });
});

describe("claims for weights", () => {
  it("stand for a disk of the node: a local volume, kept, and bound to that claim alone", async () => {
    const deployment = withDisk(await withDownload(), { size: 4 * 2 ** 40 });
    const stored = storageOf(deployment, { weights: "claim" });
    const volume = objectOf(stored, "PersistentVolume", "ai-weights-nvme");
    expect(volume).toMatchObject({
      spec: {
        capacity: { storage: "4096Gi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "",
        local: { path: "/mnt/nvme" },
        claimRef: { namespace: "ai", name: "weights-nvme" },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-0"] }] },
            ],
          },
        },
      },
    });
    expect(objectOf(stored, "PersistentVolumeClaim", "weights-nvme")).toMatchObject({
      spec: {
        storageClassName: "",
        volumeName: "ai-weights-nvme",
        resources: { requests: { storage: "13Gi" } },
      },
    });
    const { spec, env, securityContext } = podOf(stored, "download-small");
    expect(env).toMatchObject({ OMNI_TARGET: "/storage/small", OMNI_MOUNT: "/storage" });
    expect(spec.volumes).toContainEqual({
      name: "storage",
      persistentVolumeClaim: { claimName: "weights-nvme" },
    });
    expect(spec.securityContext).toEqual({ fsGroup: 65_532, fsGroupChangePolicy: "OnRootMismatch" });
    expect(securityContext).toMatchObject({ runAsNonRoot: true, readOnlyRootFilesystem: true });
    const [chat] = deployment.services;
    if (chat === undefined) throw new Error("there is a service");
    const mounted = volumesOf(chat, { ...only(deployment), weights: "claim" }, deployment.hosts);
    expect(mounted.volumes[0]).toMatchObject({ persistentVolumeClaim: { claimName: "weights-nvme" } });
    expect(mounted.mounts[0]).toMatchObject({ subPath: "small", readOnly: true });
  });

  it("come from a storage class with room for the next revision", async () => {
    const stored = storageOf(await withDownload(), { weights: "claim", storageClass: "ceph" });
    expect(stored.objects.filter(({ kind }) => kind === "PersistentVolume")).toEqual([]);
    const claim = objectOf(stored, "PersistentVolumeClaim", "weights-nvme");
    expect(claim).toMatchObject({
      spec: { storageClassName: "ceph", resources: { requests: { storage: "15Gi" } } },
    });
    const { env } = podOf(stored, "download-small");
    expect(env).toMatchObject({ OMNI_TARGET: "/storage/small" });
    expect(env).not.toHaveProperty("OMNI_MOUNT");
  });

  it("without a node in the spec have no affinity, and that is said", async () => {
    const stored = storageOf(await withDownload(), { weights: "claim", nodes: [] });
    expect(objectOf(stored, "PersistentVolume", "ai-weights-nvme")).toMatchObject({
      spec: { hostPath: { path: "/mnt/nvme", type: "Directory" } },
    });
    expect(stored.findings.join()).toContain("right for a cluster of one node only");
  });

  it("named volumes are claimed where they have a size, and awaited where they have none", async () => {
    const deployment = await clusterDeployment({
      service: {
        mounts: [
          { volume: "cache", at: "/cache", size: "20GiB", readOnly: false },
          { volume: "theirs", path: "a/b", at: "/theirs" },
        ],
      },
    });
    const stored = storageOf(deployment);
    expect(stored.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "PersistentVolumeClaim cache",
    ]);
    expect(stored.objects[0]).toMatchObject({ spec: { resources: { requests: { storage: "20Gi" } } } });
    expect(stored.findings.join()).toContain("The claim theirs has no size");
  });
});

describe("download Jobs", () => {
  it("take the token from the Secret, the bandwidth and the connections from the spec", async () => {
    const deployment = await withDownload(
      { token: { env: "HF_TOKEN_OF_OWNER" }, files: ["*.safetensors", "*.json"] },
      { more: { runbook: { downloads: { by: "job", connections: 3, bandwidth: "100MB/s" } } } },
    );
    const { env, raw } = podOf(storageOf(deployment), "download-small");
    expect(env).toMatchObject({
      OMNI_ENDPOINT: "https://huggingface.co",
      OMNI_REPOSITORY: "owner/model",
      OMNI_REVISION: "v1",
      OMNI_FILES: "*.safetensors\n*.json",
      OMNI_CONNECTIONS: "3",
      OMNI_RATE: "100000000",
    });
    expect(raw).toContainEqual({
      name: "HF_TOKEN",
      valueFrom: { secretKeyRef: { name: "test-node-secrets", key: "HF_TOKEN_OF_OWNER" } },
    });
  });

  it("are not there where this machine fetches, or nothing is fetched", async () => {
    const node = await withDownload({}, { more: { runbook: { downloads: { by: "node" } } } });
    expect(storageOf(node).paths).toEqual([]);
    expect(storageOf(await clusterDeployment()).paths).toEqual([]);
  });

  it("say when a folder of a node is meant and nothing says of which", async () => {
    const { clusters, ...rest } = await withDownload();
    const nodes = ["a", "b"].map((name) => ({ name, role: "worker" as const, gpus: [], labels: {} }));
    const deployment = {
      ...rest,
      clusters: clusters.map((cluster) => ({ ...cluster, nodes })),
      services: rest.services.map((service): DeployedService => {
        const { node: _, machine: __, ...unplaced } = service;
        return unplaced;
      }),
      models: rest.models.map((model) => {
        const { machine: _, ...anywhere } = model;
        return anywhere;
      }),
    };
    expect(storageOf(deployment).findings.join()).toContain("nothing says which of the 2 nodes");
  });

  it("give every text of the spec on as it is, by the environment alone", async () => {
    const deployment = await withDownload();
    const hostile = fc
      .string({ unit: "binary", minLength: 1 })
      .filter((text) => text.isWellFormed() && !text.includes("\0"));
    const pieces = fc.array(
      fc.constantFrom("'", '"', "\n", "$(id)", "$$", "`", ": ", " #", "--", "../", "ü", "\\"),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          hostile,
          pieces.map((all) => `x${all.join("")}`),
        ),
        (text) => {
          const models = deployment.models.map((model) => ({
            ...model,
            download: {
              connections: 1,
              repository: text,
              revision: text,
              endpoint: text,
              files: [text],
            },
          }));
          const stored = storageOf({ ...deployment, models });
          const { env } = podOf(stored, "download-small");
          const seen = (name: string): string | undefined => env[name]?.replaceAll("$$", "$");
          for (const name of ["REPOSITORY", "REVISION", "ENDPOINT", "FILES"])
            expect(seen(`OMNI_${name}`)).toBe(text);
          expect(stored.objects.map(({ kind }) => kind)).toEqual(["ConfigMap", "Job"]);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("folders of a service", () => {
  const mount = (change: Partial<DeployedMount>): DeployedMount => ({
    name: "data-0",
    source: { kind: "folder", path: "/var/mnt/data/x", create: true },
    at: "/x",
    readOnly: false,
    purpose: "data",
    ...change,
  });
  const mounted = async (change: Partial<DeployedMount>, cluster: Partial<Cluster> = {}) => {
    const deployment = await clusterDeployment();
    const [service] = deployment.services;
    if (service === undefined) throw new Error("there is a service");
    return volumesOf(
      { ...service, mounts: [mount(change)] },
      { ...only(deployment), ...cluster },
      deployment.hosts,
    );
  };

  it("are made where the owner wants it, but not below /var/mnt on Talos", async () => {
    expect((await mounted({})).volumes).toEqual([
      { name: "data-0", hostPath: { path: "/var/mnt/data/x", type: "DirectoryOrCreate" } },
    ]);
    const talos = await mounted({}, { distribution: "talos" });
    expect(talos.volumes).toEqual([
      { name: "data-0", hostPath: { path: "/var/mnt/data/x", type: "Directory" } },
    ]);
    expect(talos.diagnostics.map(({ message }) => message).join()).toContain("sees /var/mnt read-only");
  });

  it("below no user volume are said to be so where weights are to lie on one", async () => {
    const weights = {
      purpose: "weights",
      source: { kind: "folder", path: "/srv/models", create: false },
    } as const;
    const { diagnostics } = await mounted(weights, { weights: "user-volume", distribution: "talos" });
    expect(diagnostics.map(({ message }) => message)).toEqual([
      "/srv/models is no folder of a Talos user volume: these are mounted at /var/mnt/NAME.",
    ]);
  });

  it("that climb are said to be refused", async () => {
    const climbing = { source: { kind: "volume", volume: "v", path: "a/../../b" } } as const;
    const { diagnostics } = await mounted(climbing);
    expect(diagnostics.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
      'error Kubernetes takes no path with "..", and a/../../b has it: the pod is refused.',
    ]);
  });

  it("get HostToContainer where Bidirectional would be refused", async () => {
    const { mounts, diagnostics } = await mounted({ propagation: "Bidirectional" });
    expect(mounts).toEqual([{ name: "data-0", mountPath: "/x", mountPropagation: "HostToContainer" }]);
    expect(diagnostics).toHaveLength(1);
    expect((await mounted({ propagation: "HostToContainer" })).diagnostics).toEqual([]);
  });
});
