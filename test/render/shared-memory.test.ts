import { expect, it } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { deploymentOf } from "./deployments.ts";

const shmOf = async (service: string, runtime = "docker"): Promise<number | undefined> => {
  const deployment = await deploymentOf(`
omni: 1
name: shm
metal:
  cpu: { cores: 16 }
  memory: { size: 256GiB }
  gpus:
    one: { model: RTX 4090, uuid: GPU-11111111-1111-1111-1111-111111111111 }
    two: { model: RTX 4090, uuid: GPU-22222222-2222-2222-2222-222222222222 }
runtime: ${runtime}
engines: { vllm: { kind: vllm, version: 0.13.0 }, triton: { kind: triton-vllm, version: "24.12" } }
models: { qwen: { source: { file: /srv/qwen }, family: Qwen3-4B, format: safetensors } }
services: { chat: { model: qwen, context: 4096, ${service} } }`);
  return deployment.services[0]?.shm;
};

it("an engine of several processes in a container has room in /dev/shm, though the spec names none", async () => {
  expect(await shmOf("engine: vllm, devices: [one, two]")).toBe(2 * GIB);
  expect(await shmOf("engine: triton, devices: one")).toBe(GIB);
  expect(await shmOf("engine: vllm, devices: one")).toBeUndefined();
  expect(await shmOf("engine: vllm, devices: [one, two]", "process")).toBeUndefined();
  expect(await shmOf("engine: vllm, devices: [one, two], shm: 8GiB")).toBe(8 * GIB);
});
