/** Where the machine room of a run is. */
export interface RoomPlaces {
  /** `root@127.0.0.1:PORT`: the Proxmox host. */
  readonly ssh: string;
  readonly registry: string;
  readonly hub: string;
  /** Folder in which the builder finds both Dockerfiles. */
  readonly build: string;
  readonly mount: string;
  readonly serial: string;
  readonly enginePort: number;
  readonly gatewayPort: number;
  /** Distinguishes the images of a run. */
  readonly mark: string;
}

/** The leviathan runbook for the machines of a room: a disk, a model, two engines of which one cannot be built, a cluster. */
export const leviathanSpec = (room: RoomPlaces): string => `
omni: 1
name: leviathan
description: from a blank disk to an endpoint
metal:
  platform: proxmox
  version: "9"
  address: 127.0.0.1
  ssh: ${room.ssh}
  cpu: { cores: 2, threads: 2 }
  memory: { size: 384GB, available: 300GiB }
  gpus:
    blackwell: { model: RTX PRO 6000 Blackwell, uuid: GPU-f4f210c1-5a52-7267-979e-fe922961190a }
    rtx5090: { model: RTX 5090, uuid: GPU-bfbb9aa1-3d36-b47b-988f-5752cfc54601 }
  disks:
    nvme:
      serial: ${room.serial}
      size: 40GiB
      role: models
      filesystem: xfs
      format: if-blank
      mount: ${room.mount}
      prepare: host
guest:
  address: 127.0.0.1
  vm: { id: 105, cores: 2, memory: 64GiB, disks: { scsi0: { storage: local-zfs, size: 64GiB } }, networks: [{ bridge: vmbr0 }] }
  kubernetes:
    version: "1.35.0"
    nodes: { talos-node-0: { address: 127.0.0.1, gpus: [blackwell, rtx5090] } }
  registries: { local: { address: "${room.registry}", insecure: true } }
runtime:
  kind: kubernetes
  kubernetes: { namespace: ai-workloads, podSecurity: privileged, nodeName: talos-node-0, weights: host-path }
models:
  deepseek:
    source: { hub: owner/model, files: "*Q4_K_M*", endpoint: "${room.hub}" }
    quantization: Q4_K_M
    format: gguf
    family: Qwen3-30B-A3B
    size: 18GB
    store: { disk: nvme, path: ${room.mount}/models/deepseek }
engines:
  leviathan:
    kind: ktransformers
    version: "0.7.0"
    build:
      host: ${room.ssh}
      dockerfile: ${room.build}/Dockerfile.leviathan
      context: ${room.build}
      network: host
      cudaArchitectures: ["12.0+PTX"]
      tag: omni/engine:leviathan-${room.mark}
      push: local
  llama:
    kind: llama.cpp
    build:
      host: ${room.ssh}
      dockerfile: ${room.build}/Dockerfile
      context: ${room.build}
      network: host
      cudaArchitectures: ["12.0"]
      tag: omni/engine:llama-${room.mark}
      push: local
services:
  leviathan:
    model: deepseek
    engine: [leviathan, llama]
    devices: [blackwell, rtx5090]
    context: 2048
    parallel: 1
    port: ${room.enginePort}
    nodePort: ${room.enginePort}
    loadTimeout: 2m
    mounts: [{ disk: nvme, path: models/deepseek, at: /models/deepseek }]
routes: { deepseek: leviathan }
gateway: { port: ${room.gatewayPort}, nodePort: ${room.gatewayPort} }
keys: { owner: { env: OMNI_KEY, admin: true } }
runbook:
  downloads: { by: node }
  order:
    - [disk/nvme, model/deepseek, service/leviathan]
    - [engine/leviathan, service/leviathan]
  acceptance: true
  report: leviathan-report.md
`;
