import { describe, expect, it } from "vitest";
import type { Code } from "../../src/core/index.ts";
import { adviceOf } from "./advise-text.ts";

/** A rule, a spec that it finds something in, where and how it says so, and a spec as near that it must leave alone. */
interface Case {
  readonly code: Code;
  readonly title: string;
  readonly found: string;
  readonly at: string;
  readonly says: readonly string[];
  readonly severity?: "error" | "warning" | "note";
  readonly hint?: string;
  readonly nearMiss: string;
}

const BIG = "GPU-f4f210c1-5a52-7267-979e-fe922961190a";
const SMALL = "GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601";
const UNKNOWN = "GPU-f4f210c1-5a52-7267-979e-fe9229611900";
const CARDS = `metal: { gpus: { big: { model: RTX PRO 6000, uuid: ${BIG} }, small: { model: RTX 5090, uuid: ${SMALL} } } }\n`;
const MODEL = "models: { m: { source: /srv/m/, format: safetensors } }\n";
const ON_CLUSTER = `${CARDS}${MODEL}runtime: kubernetes\n`;
const one = (rest: string): string => `services: { a: { model: m, engine: vllm, ${rest} } }\n`;
const GGUF = "models: { m: ./m.gguf }\n";

const ISOLATED = "networks: { inner: { isolation: no-outbound }, outer: {} }\n";
const cluster = (rest: string, talos = "1.12.1"): string =>
  `guest: { talos: { version: "${talos}" }, kubernetes: { version: "1.35.0", distribution: talos, ${rest} } }\n`;
const KEPT = (rest: string): string =>
  `${GGUF}runtime: kubernetes\n${rest}networks: { inner: { isolation: no-outbound } }\nservices: { a: { model: m, networks: inner } }\n`;

const POOL = "metal: { disks: { nvme: { serial: S1, mount: /srv, SPACE } } }\n";
const stored = (space: string, source: string): string =>
  `${POOL.replace("SPACE", space)}models: { m: { source: "${source}", quantization: Q4_K_M, format: gguf, family: DeepSeek-V3, store: { disk: nvme, path: v3 } } }\n`;

const CASES: readonly Case[] = [
  {
    code: "threads-exceed-vcpus",
    title: "two threads on each core",
    found: `metal: { cpu: { cores: 96, threads: 192 } }\n${GGUF}services: { a: { model: m, devices: cpu, threads: 192 } }\n`,
    at: "services.a.threads",
    says: ["192 threads on 96 physical cores", "2.0 on each"],
    severity: "warning",
    hint: "threads: 96",
    nearMiss: `metal: { cpu: { cores: 96, threads: 192 } }\n${GGUF}services: { a: { model: m, devices: cpu, threads: 96 } }\n`,
  },
  {
    code: "threads-exceed-vcpus",
    title: "more threads than the VM has processors",
    found: `metal: { cpu: { cores: 96 } }\nguest: { vm: { id: 105, cores: 8, sockets: 2, memory: 8GiB } }\n${GGUF}services: { a: { model: m, threads: 24 } }\n`,
    at: "services.a.threads",
    says: ["16 virtual processors of VM 105"],
    severity: "warning",
    nearMiss: `metal: { cpu: { cores: 8 } }\nguest: { vm: { id: 105, cores: 8, sockets: 2, memory: 8GiB } }\n${GGUF}services: { a: { model: m, threads: 16 } }\n`,
  },
  {
    code: "threads-exceed-vcpus",
    title: "more threads by an argument",
    found: `metal: { cpu: { cores: 96 } }\n${GGUF}services: { a: { model: m, arguments: [--threads, 192] } }\n`,
    at: "services.a.arguments[1]",
    says: ["192 threads on 96 physical cores"],
    severity: "warning",
    nearMiss: `metal: { cpu: { cores: 96 } }\n${GGUF}services: { a: { model: m, arguments: ["-t=96", --threads-batch, 192] } }\n`,
  },
  {
    code: "threads-exceed-vcpus",
    title: "more threads than the CPUs it may use",
    found: `metal: { cpu: { cores: 96 } }\n${GGUF}services: { a: { model: m, threads: 24, cpus: "0-7,96-103" } }\n`,
    at: "services.a.threads",
    says: ["16 processors of cpus: 0-7,96-103"],
    severity: "warning",
    nearMiss: `metal: { cpu: { cores: 96 } }\n${GGUF}services: { a: { model: m, threads: 16, cpus: "0-7,96-103" } }\n`,
  },
  {
    code: "gpu-double-pinned",
    title: "a limit beside a UUID by hand",
    found: `${ON_CLUSTER}${one(`devices: big, environment: { NVIDIA_VISIBLE_DEVICES: ${BIG} }, resources: { limits: { nvidia.com/gpu: 1 } }`)}`,
    at: 'services.a.resources.limits["nvidia.com/gpu"]',
    says: [`NVIDIA_VISIBLE_DEVICES=${BIG}`, "the kubelet books one card"],
    nearMiss: `${ON_CLUSTER}${one(`devices: big, environment: { NVIDIA_VISIBLE_DEVICES: ${BIG} }, resources: { limits: { cpu: 8 } }`)}`,
  },
  {
    code: "gpu-double-pinned",
    title: "a limit beside Omni's own pinning",
    found: `${ON_CLUSTER}${one("devices: big, resources: { limits: { nvidia.com/gpu: 1 } }")}`,
    at: 'services.a.resources.limits["nvidia.com/gpu"]',
    says: ["pinning: uuid makes Omni write NVIDIA_VISIBLE_DEVICES"],
    nearMiss: `${CARDS}${MODEL}runtime: { kind: kubernetes, kubernetes: { pinning: device-plugin } }\n${one("devices: big, resources: { limits: { nvidia.com/gpu: 1 } }")}`,
  },
  {
    code: "gpu-double-pinned",
    title: "a UUID by hand under the device plugin",
    found: `${CARDS}${MODEL}runtime: { kind: kubernetes, kubernetes: { pinning: device-plugin } }\n${one(`devices: big, environment: { NVIDIA_VISIBLE_DEVICES: ${BIG} }`)}`,
    at: "services.a.environment.NVIDIA_VISIBLE_DEVICES",
    says: ["under pinning: device-plugin"],
    nearMiss: `${CARDS}${MODEL}runtime: { kind: kubernetes, kubernetes: { pinning: device-plugin } }\n${one("devices: big, environment: { NVIDIA_VISIBLE_DEVICES: all }")}`,
  },
  {
    code: "gpu-double-pinned",
    title: "a UUID of another card than the one in devices",
    found: `${ON_CLUSTER}${one(`devices: small, environment: { NVIDIA_VISIBLE_DEVICES: ${BIG} }`)}`,
    at: "services.a.environment.NVIDIA_VISIBLE_DEVICES",
    says: [`devices puts a on small (${SMALL})`, `NVIDIA_VISIBLE_DEVICES=${BIG}`],
    nearMiss: `${ON_CLUSTER}${one(`devices: small, environment: { NVIDIA_VISIBLE_DEVICES: ${SMALL} }`)}`,
  },
  {
    code: "gpu-double-pinned",
    title: "an exclusive service and another one on its card",
    found: `${ON_CLUSTER}services: { a: { model: m, engine: vllm, devices: big, sharing: exclusive }, b: { model: m, engine: vllm, environment: { CUDA_VISIBLE_DEVICES: ${BIG} } } }\n`,
    at: "services.a.sharing",
    says: ["a wants big for itself, and b is on the same card"],
    nearMiss: `${ON_CLUSTER}services: { a: { model: m, engine: vllm, devices: big, sharing: exclusive }, b: { model: m, engine: vllm, devices: small } }\n`,
  },
  {
    code: "gpu-uuid-unknown",
    title: "a UUID with a slip",
    found: `${ON_CLUSTER}${one(`environment: { NVIDIA_VISIBLE_DEVICES: ${UNKNOWN} }`)}`,
    at: "services.a.environment.NVIDIA_VISIBLE_DEVICES",
    says: [UNKNOWN, `big ${BIG}`],
    hint: `NVIDIA_VISIBLE_DEVICES: ${BIG}`,
    nearMiss: `${ON_CLUSTER}${one(`environment: { NVIDIA_VISIBLE_DEVICES: "${BIG},${SMALL}" }`)}`,
  },
  {
    code: "gpu-uuid-unknown",
    title: "a UUID where a card has none in the spec",
    found: `metal: { gpus: { big: RTX 5090 } }\n${MODEL}runtime: docker\n${one(`environment: { CUDA_VISIBLE_DEVICES: ${UNKNOWN} }`)}`,
    at: "services.a.environment.CUDA_VISIBLE_DEVICES",
    says: ["big without a UUID"],
    severity: "warning",
    nearMiss: `metal: { gpus: { big: RTX 5090 } }\n${MODEL}runtime: docker\n${one('environment: { CUDA_VISIBLE_DEVICES: "0" }')}`,
  },
  {
    code: "network-not-isolated",
    title: "a bridge beside the internal network",
    found: `${GGUF}runtime: docker\n${ISOLATED}services: { a: { model: m, networks: [outer, inner] } }\n`,
    at: "services.a.networks",
    says: ["inner (isolation: no-outbound)", "outer is a bridge with a way out"],
    nearMiss: `${GGUF}runtime: docker\n${ISOLATED}services: { a: { model: m, networks: inner }, b: { model: m, networks: outer } }\n`,
  },
  {
    code: "network-not-isolated",
    title: "the host's network beside the internal one",
    found: `${GGUF}runtime: docker\nnetworks: { inner: { internal: true }, outer: { driver: host } }\nservices: { a: { model: m, networks: [outer, inner] } }\n`,
    at: "services.a.networks",
    says: ["inner (internal: true)", "the host's own network"],
    nearMiss: `${GGUF}runtime: docker\nnetworks: { inner: { internal: true }, none: { driver: none } }\nservices: { a: { model: m, networks: [none, inner] } }\n`,
  },
  {
    code: "network-not-isolated",
    title: "a process, which has no network of its own",
    found: `${GGUF}${ISOLATED}services: { a: { model: m, networks: inner } }\n`,
    at: "services.a.networks",
    says: ["as a process of the machine"],
    nearMiss: `${GGUF}${ISOLATED}services: { a: { model: m, networks: outer } }\n`,
  },
  {
    code: "network-policy-not-enforced",
    title: "flannel of Talos 1.12, even when the spec says it enforces",
    found: KEPT(cluster("networkPolicies: true")),
    at: "networks.inner.isolation",
    says: ["flannel of Talos 1.12.1 enforces none", "from Talos 1.13 on"],
    nearMiss: KEPT(cluster("networkPolicies: true", "1.13.0")),
  },
  {
    code: "network-policy-not-enforced",
    title: "flannel of Talos 1.13 without its switch",
    found: KEPT(cluster("cni: flannel", "1.13.2")),
    at: "networks.inner.isolation",
    says: ["unless kubeNetworkPoliciesEnabled is set"],
    nearMiss: KEPT(cluster("cni: cilium")),
  },
  {
    code: "network-policy-not-enforced",
    title: "flannel under kubeadm",
    found: KEPT('guest: { kubernetes: { version: "1.35.0", distribution: kubeadm, cni: flannel } }\n'),
    at: "networks.inner.isolation",
    says: ["flannel enforces none"],
    nearMiss: KEPT('guest: { kubernetes: { version: "1.35.0", distribution: k3s, cni: flannel } }\n'),
  },
  {
    code: "host-path-read-only",
    title: "a folder to be created under /var/mnt",
    found: `${GGUF}runtime: kubernetes\n${cluster("")}services: { a: { model: m, mounts: [{ host: /var/mnt/data/m, at: /m, create: true }] } }\n`,
    at: "services.a.mounts[0].create",
    says: ["/var/mnt/data/m", "rbind,rshared,ro"],
    nearMiss: `${GGUF}runtime: kubernetes\nguest: { talos: { version: "1.12.1", userVolumes: { data: { selector: "!system_disk" } } } }\nservices: { a: { model: m, mounts: [{ host: /var/mnt/data/m, at: /m, create: true }] } }\n`,
  },
  {
    code: "host-path-read-only",
    title: "a folder beside the user volume, not on it",
    found: `${GGUF}runtime: kubernetes\nguest: { talos: { version: "1.12.1", userVolumes: { data: { selector: "!system_disk" } } } }\nservices: { a: { model: m, mounts: [{ host: /var/mnt/data2, at: /m, create: true }] } }\n`,
    at: "services.a.mounts[0].create",
    says: ["/var/mnt/data2"],
    nearMiss: `${GGUF}runtime: kubernetes\n${cluster("")}services: { a: { model: m, mounts: [{ host: /var/mnt/data/m, at: /m }] } }\n`,
  },
  {
    code: "image-not-pinned",
    title: "latest, where the spec knows the version",
    found: `${MODEL}runtime: docker\nengines: { v: { kind: vllm, version: "0.13.0", image: "vllm/vllm-openai:latest" } }\nservices: { a: { model: m, engine: v } }\n`,
    at: "engines.v.image",
    says: ["is whatever was pushed last", "the spec means version 0.13.0"],
    severity: "warning",
    hint: "vllm/vllm-openai:v0.13.0",
    nearMiss: `${MODEL}runtime: docker\nengines: { v: { kind: vllm, image: "vllm/vllm-openai:v0.13.0" } }\nservices: { a: { model: m, engine: v } }\n`,
  },
  {
    code: "image-not-pinned",
    title: "no tag behind a registry's port",
    found: `${GGUF}runbook: { commandModule: { image: "registry:5000/shell" } }\n`,
    at: "runbook.commandModule.image",
    says: ["has no tag"],
    severity: "warning",
    nearMiss: `${GGUF}policies: { unpinnedImages: allow }\nrunbook: { commandModule: { image: ubuntu } }\n`,
  },
  {
    code: "image-not-pinned",
    title: "a tag that moves with every release, under a policy that refuses",
    found: `${GGUF}policies: { unpinnedImages: refuse }\nengines: { l: { kind: llama.cpp, image: "ghcr.io/ggml-org/llama.cpp:server-cuda" } }\n`,
    at: "engines.l.image",
    says: ["server-cuda, which names no version"],
    nearMiss: `${GGUF}policies: { unpinnedImages: refuse }\nengines: { l: { kind: llama.cpp, image: "ghcr.io/ggml-org/llama.cpp:server-cuda@sha256:${"a".repeat(64)}" } }\n`,
  },
  {
    code: "image-not-pinned",
    title: "the base of a build, not the image that comes of it",
    found: `${GGUF}engines: { l: { kind: llama.cpp, image: own/engine, build: { base: "nvidia/cuda", tag: own/engine } } }\n`,
    at: "engines.l.build.base",
    says: ["nvidia/cuda has no tag"],
    severity: "warning",
    nearMiss: `${GGUF}engines: { l: { kind: llama.cpp, image: own/engine, build: { base: "nvidia/cuda:13.0.1", tag: own/engine } } }\n`,
  },
  {
    code: "model-size-claim",
    title: "a claim of a third of the model",
    found: `models: { m: { source: ./m.gguf, family: DeepSeek-V3, quantization: Q4_K_M, size: 100GB-150GB } }\n`,
    at: "models.m.size",
    says: ["100GB to 150GB", "671.03e9 parameters × 4.82 bits / 8 = 404.", "2.7 times"],
    nearMiss: `models: { m: { source: ./m.gguf, family: DeepSeek-V3, quantization: Q4_K_M, size: 400GB-410GB } }\n`,
  },
  {
    code: "model-size-claim",
    title: "GiB written as GB",
    found: `models: { m: { source: hf:a/b, format: safetensors, family: DeepSeek-R1-Distill-Llama-70B, quantization: w4a16, size: 37GB } }\n`,
    at: "models.m.size",
    says: ["counted in GiB", "39.5 GB (36.79 GiB)"],
    severity: "note",
    nearMiss: `models: { m: { source: hf:a/b, format: safetensors, family: DeepSeek-R1-Distill-Llama-70B, quantization: w4a16, size: 39.5GB } }\n`,
  },
  {
    code: "model-size-claim",
    title: "a claim that is somewhat off",
    found: `models: { m: { source: ./m.gguf, family: DeepSeek-V3, quantization: Q4_K_M, size: 350GB } }\n`,
    at: "models.m.size",
    says: ["350GB is not m in Q4_K_M", "1.2 times"],
    severity: "warning",
    // Without a quantization the bytes are not known.
    nearMiss: `models: { m: { source: ./m.gguf, family: DeepSeek-V3, size: 350GB } }\n`,
  },
  {
    code: "not-fully-resident",
    title: "fewer bits than any GGUF has",
    found: `metal: { gpus: { a: RTX PRO 6000, b: RTX 5090 } }\nmodels: { m: { source: /m/, format: gguf, family: DeepSeek-V3.2 } }\nservices: { a: { model: m, engine: llama.cpp, devices: [a, b], context: 8192, expect: { vram: 117GB } } }\n`,
    at: "services.a.expect.vram",
    says: ["1.35 bits each", "IQ1_S, has 1.5625", "8 192 tokens"],
    nearMiss: `metal: { gpus: { a: RTX PRO 6000, b: RTX 5090 } }\nmodels: { m: { source: /m/, format: gguf, family: DeepSeek-V3.2 } }\nservices: { a: { model: m, engine: llama.cpp, devices: [a, b], context: 8192, cpuMoe: 26, expect: { vram: 117GB } } }\n`,
  },
  {
    code: "not-fully-resident",
    title: "weights that are more than is expected on the cards",
    found: `metal: { gpus: { a: RTX 3080, b: RTX 3080 } }\nmodels: { m: { source: /m/, format: safetensors, family: Mistral-Nemo-12B, quantization: BF16 } }\nruntime: docker\nservices: { a: { model: m, engine: vllm, devices: [a, b], expect: { vram: 20GB } } }\n`,
    at: "services.a.expect.vram",
    says: ["24.5 GB (22.81 GiB)", "20 GB", "4.5 GB"],
    nearMiss: `metal: { gpus: { a: RTX 3080, b: RTX 3080 } }\nmodels: { m: { source: /m/, format: safetensors, family: Mistral-Nemo-12B, quantization: w4a16 } }\nruntime: docker\nservices: { a: { model: m, engine: vllm, devices: [a, b], expect: { vram: 20GB } } }\n`,
  },
  {
    code: "arch-not-compiled",
    title: "code for Hopper and B200 on consumer Blackwell",
    found: `${CARDS}${GGUF}runtime: docker\nengines: { e: { kind: ktransformers, build: { cudaArchitectures: ["9.0a", "10.0"] } } }\nservices: { a: { model: m, engine: e } }\n`,
    at: "engines.e.build.cudaArchitectures",
    says: ["big", "12.0", "sm_90a, sm_100", "no kernel image is available"],
    nearMiss: `${CARDS}${GGUF}runtime: docker\nengines: { e: { kind: ktransformers, build: { cudaArchitectures: ["9.0+PTX"] } } }\nservices: { a: { model: m, engine: e } }\n`,
  },
  {
    code: "arch-not-compiled",
    title: "the card that a service names, though another would do",
    found: `metal: { gpus: { old: RTX 3090, new: RTX 5090 } }\n${GGUF}runtime: docker\nengines: { e: { kind: llama.cpp, architectures: ["8.6"] } }\nservices: { a: { model: m, engine: e, devices: new } }\n`,
    at: "engines.e.architectures",
    says: ["new (RTX 5090) is compute capability 12.0", "sm_86"],
    nearMiss: `metal: { gpus: { old: RTX 3090, new: RTX 5090 } }\n${GGUF}runtime: docker\nengines: { e: { kind: llama.cpp, architectures: ["8.6"] } }\nservices: { a: { model: m, engine: e, devices: auto }, b: { model: m, engine: e, devices: cpu } }\n`,
  },
  {
    code: "gguf-in-vllm",
    title: "GGUF for vLLM alone",
    found: `${GGUF}runtime: docker\nservices: { a: { model: m, engine: vllm } }\n`,
    at: "services.a.engine[0]",
    says: ["m is GGUF, and vLLM reads safetensors: a does not start"],
    hint: "engine: llama.cpp",
    nearMiss: `${MODEL}runtime: docker\nservices: { a: { model: m, engine: vllm } }\n`,
  },
  {
    code: "gguf-in-vllm",
    title: "GGUF for vLLM as a fallback",
    found: `models: { m: hf:unsloth/DeepSeek-V3-GGUF }\nruntime: docker\nservices: { a: { model: m, engine: [ktransformers, vllm] } }\n`,
    at: "services.a.engine[1]",
    says: ["as a fallback it never serves a"],
    severity: "warning",
    nearMiss: `models: { m: hf:unsloth/DeepSeek-V3-GGUF }\nruntime: docker\nservices: { a: { model: m, engine: [ktransformers, llama.cpp] } }\n`,
  },
  {
    code: "disk-too-small",
    title: "404 GB on a disk of 150",
    found: stored("size: 150GB", "hf:unsloth/DeepSeek-V3-GGUF"),
    at: "metal.disks.nvme",
    says: ["m 404.", "150 GB in all", "10.7 GB of which stay free"],
    nearMiss: stored("size: 4TB", "hf:unsloth/DeepSeek-V3-GGUF"),
  },
  {
    code: "disk-too-small",
    title: "404 GB into 300 free",
    found: stored("size: 4TB, free: 300GB", "hf:unsloth/DeepSeek-V3-GGUF"),
    at: "metal.disks.nvme",
    says: ["300 GB free"],
    // What lies there already is not in the free space.
    nearMiss: stored("size: 4TB, free: 300GB", "disk:nvme/v3/"),
  },
  {
    code: "disk-too-small",
    title: "an image of 21 GB on a root with 5 GB",
    found: `metal: { rootFree: 5GB }\n${MODEL}runtime: docker\nengines: { k: { kind: ktransformers, image: "approachingai/ktransformers:v0.4.3" } }\nservices: { a: { model: m, engine: k } }\n`,
    at: "engines.k",
    says: ["k (21 GB)", "5 GB free", "16 GB too much"],
    nearMiss: `metal: { rootFree: 5GB }\n${MODEL}runtime: { kind: docker, docker: { dataFree: 50GB } }\nengines: { k: { kind: ktransformers, image: "approachingai/ktransformers:v0.4.3" } }\nservices: { a: { model: m, engine: k } }\n`,
  },
  {
    code: "port-conflict",
    title: "two engines of one kind on the host's network",
    found: `${GGUF}runtime: docker\nnetworks: { out: { driver: host } }\nservices: { a: { model: m, networks: out }, b: { model: m, networks: out } }\n`,
    at: "services.b.port",
    says: ["b and a both listen on port 9931"],
    nearMiss: `${GGUF}runtime: docker\nnetworks: { out: { driver: host } }\nservices: { a: { model: m, networks: out }, b: { model: m } }\n`,
  },
  {
    code: "port-conflict",
    title: "a container's host port and a process of the same machine",
    found: `machines: { node: { address: 10.0.0.2 } }\n${GGUF}services: { a: { model: m, engine: llama.cpp, port: 8000, machine: node }, b: { model: m, runtime: docker, hostPort: 8000 } }\n`,
    at: "services.b.hostPort",
    says: ["port 8000 of node"],
    nearMiss: `machines: { node: { address: 10.0.0.2 } }\n${GGUF}services: { a: { model: m, engine: llama.cpp, port: 8000, machine: node }, b: { model: m, runtime: docker, hostPort: 8001 } }\n`,
  },
  {
    code: "port-conflict",
    title: "copies with one port",
    found: `${GGUF}runtime: docker\nservices: { a: { model: m, replicas: 2, hostPort: 8000 } }\n`,
    at: "services.a.hostPort",
    says: ["2 copies of a", "port 8000"],
    nearMiss: `${GGUF}runtime: docker\nservices: { a: { model: m, replicas: 1, hostPort: 8000 }, b: { model: m, replicas: 2, port: 8000 } }\n`,
  },
  {
    code: "shm-not-in-limit",
    title: "as much shared memory as the whole limit",
    found: `${MODEL}runtime: kubernetes\n${one("shm: 32GiB, memory: 32GiB")}`,
    at: "services.a.memory",
    says: ["/dev/shm of 32.00 GiB", "limit is 32.00 GiB", "OOMKilled"],
    hint: "memory: 40GiB",
    nearMiss: `${MODEL}runtime: kubernetes\n${one("shm: 32GiB, memory: 48GiB")}`,
  },
  {
    code: "shm-not-in-limit",
    title: "a limit as Kubernetes writes it",
    found: `${MODEL}runtime: kubernetes\n${one("shm: 32GiB, resources: { limits: { memory: 24Gi } }")}`,
    at: "services.a.resources.limits.memory",
    says: ["limit is 24.00 GiB"],
    hint: "memory: 40Gi",
    nearMiss: `${MODEL}runtime: kubernetes\n${one("shm: 32GiB, resources: { limits: { memory: 64Gi } }")}`,
  },
  {
    code: "fallback-context-too-small",
    title: "a route whose spare takes half the prompt",
    found: `${GGUF}services: { a: { model: m, context: 16384 }, b: { model: m, context: 8192 } }\nroutes: { r: [a, b] }\n`,
    at: "routes.r.services[1]",
    says: ["b stands in for a with 8 192 tokens where a takes 16 384"],
    severity: "warning",
    nearMiss: `${GGUF}services: { a: { model: m, context: 16384 }, b: { model: m, context: 8192 } }\nroutes: { r: [a, { service: b, when: { promptTokens: { below: 8192 } } }] }\n`,
  },
  {
    code: "fallback-context-too-small",
    title: "a ladder that hands long prompts to a shorter service",
    found: `${GGUF}services: { a: { model: m, context: 8192, ladder: [{ step: route-long-prompts, to: b, above: 8192 }] }, b: { model: m, context: 4096 } }\n`,
    at: "services.a.ladder[0]",
    says: ["route-long-prompts hands prompts of a to b", "4 096 tokens", "8 192 come"],
    severity: "warning",
    nearMiss: `${GGUF}services: { a: { model: m, context: 8192, ladder: [{ step: route-long-prompts, to: b, above: 8192 }] }, b: { model: m, context: 32768 } }\n`,
  },
  {
    code: "rolling-update-deadlock",
    title: "one card of the scheduler for two copies",
    found: `metal: { gpus: { big: RTX 5090 } }\n${MODEL}runtime: { kind: kubernetes, kubernetes: { pinning: device-plugin } }\n${one("devices: big, strategy: rolling")}`,
    at: "services.a.strategy",
    says: ["2 copies need 2 and 1 is there"],
    hint: "strategy: recreate",
    nearMiss: `metal: { gpus: { big: RTX 5090 } }\n${MODEL}runtime: { kind: kubernetes, kubernetes: { pinning: device-plugin } }\n${one("devices: big, strategy: recreate")}`,
  },
  {
    code: "rolling-update-deadlock",
    title: "two shares of 0.9 of one card",
    found: `metal: { gpus: { big: RTX 5090 } }\n${MODEL}runtime: kubernetes\n${one("devices: big, strategy: rolling, memoryFraction: 0.9")}`,
    at: "services.a.strategy",
    says: ["2 × 0.9 = 1.8 of each card"],
    nearMiss: `metal: { gpus: { big: RTX 5090 } }\n${MODEL}runtime: kubernetes\n${one("devices: big, strategy: rolling, memoryFraction: 0.4")}`,
  },
];

describe("advice on services, engines and models", () => {
  it.each(CASES)("$code: $title", ({ code, found, at, says, severity = "error", hint = "" }) => {
    const [finding, ...others] = adviceOf(code, found);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ path: at, severity });
    for (const text of says) expect(finding?.message).toContain(text);
    expect(finding?.hint).toContain(hint);
    expect(finding?.line).toBeGreaterThan(1);
  });

  it.each(CASES)("$code: not $title", ({ code, nearMiss }) => {
    expect(adviceOf(code, nearMiss)).toEqual([]);
  });
});
