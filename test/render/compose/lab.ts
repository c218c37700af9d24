import { parse } from "yaml";
import { z } from "zod";
import { compose } from "../../../src/render/compose/index.ts";
import { deploymentOf } from "../deployments.ts";
import { interpolated } from "./interpolated.ts";

/** Where the file is while Docker runs on one machine. */
export const FILE = "compose/compose.yaml";

export const fileSchema = z.object({
  services: z.record(z.string(), z.record(z.string(), z.unknown())),
  networks: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  volumes: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(z.string(), z.unknown()).default({}),
});

export async function rendered(text: string) {
  const deployment = await deploymentOf(text);
  const { artifacts, diagnostics } = compose.render(deployment);
  const contentOf = (path: string): string =>
    artifacts.find((artifact) => artifact.path === path)?.content ?? "";
  const fileAt = (path: string) => fileSchema.parse(interpolated(parse(contentOf(path))));
  return { artifacts, diagnostics, contentOf, fileAt };
}

/** A node with two cards and one small model; what differs comes after it. */
export const NODE = `
omni: 1
name: lab
runtime: docker
metal:
  cpu: { model: x, cores: 16, threads: 32 }
  memory: { size: 128GiB, available: 120GiB }
  gpus:
    big: { model: RTX 5090, uuid: GPU-11111111-2222-3333-4444-555555555555 }
    bare: { model: RTX 3090 }
models:
  small: { source: { file: /srv/models/small.gguf }, family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M }
engines:
  cpp: { kind: llama.cpp, image: "ghcr.io/ggml-org/llama.cpp:server-cuda-b6000", architectures: ["8.6", "12.0"] }
keys: { me: { env: OMNI_KEY } }
`;

/** Nearly all that a spec can ask of Docker, with its way to give out cards. */
export const everything = (gpus = "device-requests"): string =>
  `${NODE}
runtime: { kind: docker, docker: { gpus: ${gpus}, labels: { team: "a$b" } } }
networks:
  open: { subnet: 10.9.0.0/24, gateway: 10.9.0.1, labels: { x: y } }
  sealed: { isolation: gateway-only, allow: ["10.0.0.5:5432"] }
  given: { external: true }
  lan: { driver: macvlan, parent: eth0, subnet: 10.8.0.0/24 }
services:
  chat:
    model: small
    engine: cpp
    devices: big
    networks: sealed
    hostPort: 18080
    weights: lock
    shm: 2GiB
    memory: 48GiB
    mounts: [{ volume: cache, path: sub, at: /cache, readOnly: false }, { host: /srv/x, at: /x, create: true, propagation: HostToContainer }]
    environment: { HF_TOKEN: { env: HF_TOKEN }, API_TOKEN: { file: /etc/omni/token }, PLAIN: "a$b" }
    after: [quick]
    drainTimeout: 90s
    loadTimeout: 45m
  quick: { model: small, engine: cpp, devices: cpu, threads: 8, networks: [open, given, lan] }
gateway: { networks: [sealed, open] }
`.replace("runtime: docker\n", "");
