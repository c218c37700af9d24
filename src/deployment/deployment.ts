import type { Code, Diagnostic } from "../core/index.ts";
import type { Guest, Machine, Policies, Telemetry } from "../spec/spec.ts";
import type { DeployedService } from "./deployed-service.ts";

/** Where a secret comes from; its value is never here. Exactly one of the two. */
export interface SecretReference {
  readonly env?: string;
  readonly file?: string;
}

/** A plain value, or a secret by reference. */
export type EnvironmentValue = string | SecretReference;
export type Environment = Readonly<Record<string, EnvironmentValue>>;

/** A machine as the spec describes it, with its name. */
export interface Host extends Machine {
  readonly name: string;
}

/** VM, operating system and registries on a machine, as the spec describes them. */
export interface GuestSystem extends Omit<Guest, "machine"> {
  readonly name: string;
  /** Name of the host that carries it; absent where the spec names no machine. */
  readonly machine?: string;
}

export interface ClusterNode {
  readonly name: string;
  readonly role: "control-plane" | "worker" | "both";
  readonly address?: string;
  readonly machine?: string;
  /** Cards the node sees, by their names in the spec. */
  readonly gpus: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** A Kubernetes cluster and how this spec uses it. */
export interface Cluster {
  readonly name: string;
  /** `1.35.0`; absent where the spec names none. */
  readonly version?: string;
  readonly distribution?: "talos" | "kubeadm" | "k3s" | "rke2";
  /** Name of the guest it runs in. */
  readonly guest?: string;
  readonly talosVersion?: string;
  readonly cni?: "flannel" | "cilium" | "calico" | "none";
  /** The network plugin acts on NetworkPolicy objects; absent where nothing is known. */
  readonly enforcesPolicies?: boolean;
  readonly nodes: readonly ClusterNode[];
  readonly namespace: string;
  readonly podSecurity: "privileged" | "baseline" | "restricted";
  /** Absent for none. */
  readonly runtimeClass?: string;
  readonly createRuntimeClass: boolean;
  readonly pinning: "uuid" | "device-plugin" | "dra";
  readonly weights: "host-path" | "user-volume" | "claim";
  readonly storageClass?: string;
  readonly networkPolicies: boolean;
  readonly nodeName?: string;
  readonly imagePullSecret?: string;
  readonly kustomize: boolean;
  readonly inferencePool: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly gpuOperator?: { readonly version?: string; readonly validationWorkaround: boolean };
  readonly devicePlugin: boolean;
}

/** A network that services are attached to. */
export interface DeployedNetwork {
  readonly name: string;
  readonly driver: string;
  readonly subnet?: string;
  readonly gateway?: string;
  readonly internal: boolean;
  readonly isolation: "none" | "no-outbound" | "gateway-only";
  readonly external: boolean;
  readonly parent?: string;
  readonly allow: readonly string[];
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An image that Omni builds, because nobody publishes one for these cards or the spec says how. */
export interface ImageBuild {
  /** Name of the engine in the spec, or `omni` for Omni itself. */
  readonly name: string;
  /** Kind of engine in the catalog, or `omni`. */
  readonly kind: string;
  readonly version?: string;
  /** Full reference, registry included where it is pushed. */
  readonly tag: string;
  /** CUDA architectures to compile for as CMake and PyTorch lists are derived from: `12.0`, `9.0a`, `12.0+PTX`. */
  readonly cudaArchitectures: readonly string[];
  /** The owner's Dockerfile in place of a rendered one, on the machine that builds. */
  readonly dockerfile?: string;
  readonly context?: string;
  readonly base?: string;
  readonly repository?: string;
  readonly commit?: string;
  readonly flags: Readonly<Record<string, string | number | boolean>>;
  readonly environment: Environment;
  readonly packages: readonly string[];
  readonly network: "default" | "host" | "none";
  readonly push?: { readonly registry: string; readonly address: string; readonly insecure: boolean };
  readonly builder: "docker" | "buildah";
  /** `user@host[:port]` that builds; this machine when absent. */
  readonly host?: string;
  /** Path in the spec that asks for it, for the reason in the manifest. */
  readonly path: string;
}

/** A model that has to be on a node before its services start. */
export interface DeployedModel {
  readonly name: string;
  readonly format?: "gguf" | "safetensors";
  /** Hub source; absent for files that are there already. */
  readonly download?: {
    readonly repository: string;
    readonly revision: string;
    /** Globs of the repository's files; all when empty. */
    readonly files: readonly string[];
    readonly endpoint: string;
    readonly token?: SecretReference;
    readonly connections: number;
    /** Bytes per second; no bound when absent. */
    readonly bandwidth?: number;
    readonly by?: "node" | "job" | "pod";
  };
  /** File or folder on the node. */
  readonly path: string;
  readonly disk?: string;
  readonly sizeBytes: number;
  readonly machine?: string;
}

/** Omni's own gateway, HTTP and MCP on one port. */
export interface DeployedGateway {
  readonly host: string;
  readonly port: number;
  readonly nodePort?: number;
  readonly networks: readonly string[];
  readonly image: string;
  readonly mcp: boolean;
  readonly metricsPath?: string;
  /** Its own `omni.yaml` by the engines' addresses on this runtime, as plain data. */
  config(addressOf: (service: DeployedService) => string): Readonly<Record<string, unknown>>;
  /** Secrets that its config refers to, and the certificate for its key. */
  readonly secrets: readonly SecretReference[];
  /** Workflow templates that its config names, relative to the config. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** It speaks HTTPS alone, with a certificate for names that are not those of whoever looks after it. */
  readonly tls: boolean;
  /** It answers only to names that the spec lists, and to the loopback's. */
  readonly namesHosts: boolean;
  /** Folders of the node that its tools show, at the same path in the container. */
  readonly folders: readonly { readonly path: string; readonly writable: boolean }[];
}

/** The shell pod with persistent storage. */
export interface CommandModule {
  readonly image: string;
  readonly at: string;
  /** Folder on the node; absent where a claim is asked for. */
  readonly folder?: string;
  /** Bytes of the claim. */
  readonly storage?: number;
  readonly gpus: readonly DeployedCard[];
  readonly packages: readonly string[];
  readonly environment: Environment;
  readonly privileged: boolean;
}

/** A card as an engine is pinned to it. */
export interface DeployedCard {
  /** Name in the spec. */
  readonly name: string;
  readonly machine: string;
  /** Name in the catalog, or as typed. */
  readonly model: string;
  readonly uuid?: string;
  readonly index?: number;
  readonly pci?: string;
  readonly computeCapability?: string;
  /** Bytes that a program sees. */
  readonly memory?: number;
}

/** All that a host, a hypervisor, a cluster and an engine are told, decided once. Renderers read this, never the spec. */
export interface Deployment {
  readonly name: string;
  readonly description?: string;
  readonly runtime: "process" | "docker" | "kubernetes";
  readonly hosts: readonly Host[];
  readonly guests: readonly GuestSystem[];
  readonly clusters: readonly Cluster[];
  readonly docker: {
    readonly project: string;
    readonly gpus: "device-requests" | "cdi" | "environment";
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly process: {
    readonly user?: string;
    readonly cgroups: boolean;
    /** Engines are units of systemd; otherwise Omni runs them itself. */
    readonly systemd: boolean;
    readonly logFolder?: string;
  };
  /** In the order of the spec; remote engines are not among them. */
  readonly services: readonly DeployedService[];
  readonly images: readonly ImageBuild[];
  readonly models: readonly DeployedModel[];
  readonly networks: readonly DeployedNetwork[];
  readonly gateway: DeployedGateway;
  readonly commandModule?: CommandModule;
  readonly telemetry: Telemetry;
  readonly headroom: Policies["headroom"];
  /** Errors and warnings of spec, plan and advice. */
  readonly findings: readonly Diagnostic[];
}

/** Why the plan gave a service no place; its artefacts are rendered as written, and never started by themselves. */
export interface Refused {
  readonly code: Code;
  readonly reason: string;
  readonly hint: string;
}
