import { expect, it } from "vitest";
import { talosCustomization, talosSchematicId } from "../../../../src/catalog/index.ts";
import { linux } from "./recordings.ts";
import { findingsOf, troubleOf, troubles } from "./situation.ts";
import type { Situation } from "./situation.ts";

const OPEN_LTS = [
  "siderolabs/nvidia-container-toolkit-lts",
  "siderolabs/nvidia-open-gpu-kernel-modules-lts",
  "siderolabs/qemu-guest-agent",
];
const schematicOf = (extensions: readonly string[]): string =>
  talosSchematicId(talosCustomization({ extensions })) ?? "none";

const SPEC = (talos = "", kubernetes = ""): string => `metal:
  platform: proxmox
  gpus:
    blackwell: { model: RTX PRO 6000 Blackwell, pci: "0000:f1:00", uuid: GPU-f4f210c1-5a52-7267-979e-fe922961190a }
guest:
  address: 192.168.3.2
  vm: { id: 105, cores: 8, memory: 64GiB, hostpci: { hostpci0: blackwell } }
  talos: { version: "1.12.11", extensions: [${OPEN_LTS.join(", ")}]${talos} }
  kubernetes: { version: "1.35.0", devicePlugin: true, nodes: { talos-node-0: { gpus: [blackwell] } }${kubernetes} }
runtime: { kind: kubernetes, kubernetes: { namespace: ai-workloads, podSecurity: privileged } }
models:
  small: { source: hf:acme/small-GGUF, family: Llama-3.1-8B-Instruct, quantization: Q4_K_M }
services:
  chat: { model: small, engine: llama.cpp, devices: blackwell }
`;

interface NodeOptions {
  readonly ready?: "True" | "False";
  readonly cordoned?: boolean;
  readonly gpus?: string;
  readonly os?: string;
  readonly kubelet?: string;
  readonly extensions?: readonly string[];
  readonly pressure?: string;
}

function node({
  ready = "True",
  cordoned = false,
  gpus = "1",
  os = "Talos (v1.12.11)",
  ...rest
}: NodeOptions): object {
  const { kubelet = "v1.35.0", extensions = OPEN_LTS, pressure } = rest;
  const labels = Object.fromEntries(
    extensions.map((name) => [`extensions.talos.dev/${name.replace("siderolabs/", "")}`, "v1"]),
  );
  return {
    metadata: {
      name: "talos-node-0",
      labels: { ...labels, "kubernetes.io/hostname": "talos-node-0" },
      annotations: { "extensions.talos.dev/schematic": schematicOf(extensions) },
    },
    spec: { unschedulable: cordoned },
    status: {
      conditions: [
        ...(pressure === undefined ? [] : [{ type: pressure, status: "True", message: "it is low" }]),
        {
          type: "Ready",
          status: ready,
          ...(ready === "True" ? {} : { message: "Kubelet stopped posting node status." }),
        },
      ],
      allocatable: { cpu: "8", ...(gpus === "" ? {} : { "nvidia.com/gpu": gpus }) },
      nodeInfo: { osImage: os, kubeletVersion: kubelet },
    },
  };
}

const PLUGIN = {
  metadata: { name: "nvidia-device-plugin-x7k2p", namespace: "kube-system" },
  spec: { nodeName: "talos-node-0" },
  status: { phase: "Running", containerStatuses: [{ name: "plugin", ready: true, restartCount: 0 }] },
};

const objects = (
  options: NodeOptions = {},
  others: Readonly<Record<string, unknown>> = {},
): NonNullable<Situation["cluster"]> => ({
  "/version": { gitVersion: "v1.35.0" },
  "/api/v1/nodes": { items: [node(options)] },
  "/api/v1/pods": { items: [PLUGIN] },
  "/apis/node.k8s.io/v1/runtimeclasses/nvidia": { metadata: { name: "nvidia" }, handler: "nvidia" },
  "/api/v1/namespaces/ai-workloads": {
    metadata: { name: "ai-workloads", labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
  },
  ...others,
});

const look = (cluster: Situation["cluster"], spec = SPEC()) =>
  findingsOf({ ...linux(), spec, ...(cluster === undefined ? {} : { cluster }) });

it("a Talos guest as its spec describes it is no word worth", async () => {
  const findings = await look(objects());
  expect(troubles(findings)).toEqual([]);
  expect(findings.filter(({ check }) => check.startsWith("cluster.")).map(({ check }) => check)).toEqual([
    "cluster.answers",
    "cluster.nodes",
    "cluster.gpus",
    "cluster.runtime-class",
    "cluster.gpu-pods",
    "cluster.pod-security",
    "cluster.talos",
    "cluster.talos-image",
    "cluster.talos-image",
  ]);
});

it("without a kubeconfig one finding says so, and no check guesses", async () => {
  const findings = await look(undefined);
  expect(troubles(findings)).toEqual(["error cluster.answers cluster omni"]);
  expect(troubleOf(findings, "cluster.answers").seen).toBe("no kubeconfig was found");
});

it("a node that is not ready, one under pressure, one that is cordoned", async () => {
  const silent = await look(objects({ ready: "False" }));
  expect(troubles(silent)).toEqual(["error cluster.nodes node talos-node-0"]);
  expect(troubleOf(silent, "cluster.nodes").seen).toBe("NotReady: Kubelet stopped posting node status.");
  const pressed = await look(objects({ pressure: "DiskPressure" }));
  expect(troubleOf(pressed, "cluster.nodes").seen).toBe("DiskPressure (it is low)");
  expect(troubles(await look(objects({ cordoned: true })))).toEqual([
    "warning cluster.nodes node talos-node-0",
  ]);
  const gone = await look(objects({}, { "/api/v1/nodes": { items: [] } }));
  expect(troubles(gone)).toEqual(["error cluster.nodes node talos-node-0"]);
});

it("nonfree modules on Blackwell: the image is another, and cannot drive the card", async () => {
  const nonfree = [
    "siderolabs/nvidia-container-toolkit-production",
    "siderolabs/nonfree-kmod-nvidia-production",
    "siderolabs/qemu-guest-agent",
  ];
  const findings = await look(objects({ extensions: nonfree, gpus: "0" }));
  expect(troubles(findings)).toEqual([
    "warning cluster.gpus node talos-node-0",
    "error cluster.talos-image node talos-node-0, schematic",
    "error cluster.talos-image node talos-node-0, extensions",
    "error cluster.talos-image node talos-node-0, kernel modules",
  ]);
  const modules = findings.find(({ subject }) => subject === "node talos-node-0, kernel modules");
  expect(modules).toMatchObject({
    seen: "nonfree-kmod-nvidia-production",
    wanted: "nvidia-open-gpu-kernel-modules for RTX PRO 6000 Blackwell",
  });
  expect(modules?.why).toContain("nvidia-smi -L says No devices found");
});

it("a schematic of another list is told by both ids", async () => {
  const sorted = [...OPEN_LTS].toReversed();
  const findings = await look(objects({ extensions: sorted }));
  expect(troubles(findings)).toEqual(["error cluster.talos-image node talos-node-0, schematic"]);
  expect(troubleOf(findings, "cluster.talos-image")).toMatchObject({
    seen: schematicOf(sorted),
    wanted: schematicOf(OPEN_LTS),
  });
});

it("another Talos and another Kubernetes than the spec's", async () => {
  const cluster = objects(
    { os: "Talos (v1.11.5)", kubelet: "v1.32.0" },
    { "/version": { gitVersion: "v1.32.0" } },
  );
  const findings = await look(cluster);
  expect(troubles(findings)).toEqual([
    "error cluster.answers cluster omni",
    "error cluster.talos node talos-node-0",
  ]);
  expect(troubleOf(findings, "cluster.answers")).toMatchObject({
    seen: "Kubernetes 1.32.0",
    wanted: "1.35.0",
  });
  expect(troubleOf(findings, "cluster.talos").seen).toBe("Talos 1.11.5 for Kubernetes 1.35.0");
});

it("the operator's validator that loops on Talos", async () => {
  const validator = {
    metadata: { name: "nvidia-operator-validator-9qv4d", namespace: "gpu-operator" },
    spec: { nodeName: "talos-node-0" },
    status: {
      phase: "Pending",
      initContainerStatuses: [
        {
          name: "driver-validation",
          ready: false,
          restartCount: 31,
          state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
        },
      ],
      containerStatuses: [
        {
          name: "nvidia-operator-validator",
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: "PodInitializing" } },
        },
      ],
    },
  };
  const findings = await look(objects({}, { "/api/v1/pods": { items: [PLUGIN, validator] } }));
  expect(troubles(findings)).toEqual([
    "error cluster.gpu-pods pod gpu-operator/nvidia-operator-validator-9qv4d",
  ]);
  expect(troubleOf(findings, "cluster.gpu-pods")).toMatchObject({
    seen: "waits on talos-node-0 in driver-validation, 31 restarts",
    source: expect.stringContaining("gpu-operator/issues/1687"),
  });
});

it("no RuntimeClass, a namespace that refuses hostPath, and an API that does not let look", async () => {
  const findings = await look(
    objects(
      {},
      {
        "/apis/node.k8s.io/v1/runtimeclasses/nvidia": 404,
        "/api/v1/namespaces/ai-workloads": { metadata: { name: "ai-workloads" } },
        "/api/v1/pods": 403,
      },
    ),
  );
  expect(troubles(findings)).toEqual([
    "error cluster.runtime-class RuntimeClass nvidia",
    "unknown cluster.gpu-pods cluster omni",
    "error cluster.pod-security namespace ai-workloads",
  ]);
  expect(troubleOf(findings, "cluster.pod-security").seen).toBe("no label, so Talos enforces baseline");
});

it("isolation under flannel is a promise that nobody keeps", async () => {
  const spec = `${SPEC()}networks: { internal_brain: { isolation: no-outbound } }\n`;
  const pods = {
    items: [PLUGIN, { metadata: { name: "kube-flannel-abcde" }, status: { phase: "Running" } }],
  };
  const findings = await look(objects({}, { "/api/v1/pods": pods }), spec);
  expect(troubles(findings)).toEqual(["error cluster.network-policy cluster omni"]);
  expect(troubleOf(findings, "cluster.network-policy").seen).toBe(
    "flannel, and no controller for policies beside it",
  );
});

it("modules that Talos was to load and did not", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    spec: SPEC(", modules: { nvidia: [], nvidia_uvm: [], nvidia_drm: [modeset=0] }"),
    cluster: objects(),
    commands: { ...base.commands, talosctl: "nvidia 4096 0 - Live 0x0\n" },
  });
  expect(troubles(findings)).toEqual(["error cluster.talos-modules guest omni"]);
  expect(troubleOf(findings, "cluster.talos-modules").seen).toBe("nvidia_uvm, nvidia_drm not loaded");
});
