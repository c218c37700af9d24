import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { readNodeRecord } from "../../src/store/index.ts";
import { eventually, launch, omni, processesWith, startNode, temporaryFolder } from "./run-node.ts";

const SPEC = (context: number, beside: string): string => `omni: 1
metal: { platform: linux, memory: { size: 64GB }, gpus: { gpu0: { model: RTX 5090 }, gpu1: { model: RTX 3090 } } }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
services:
  first: { model: coder, engine: llama.cpp, devices: gpu0, context: 8192, parallel: 4 }
  ${beside}: { model: coder, engine: llama.cpp, devices: gpu1, context: ${context}, parallel: 4 }
routes: { chat: [first, ${beside}] }
`;

const STATUS = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      pid: z.int().optional(),
      adopted: z.boolean().optional(),
    }),
  ),
});

const statusOf = async (state: string): Promise<z.infer<typeof STATUS>["services"]> => {
  const url = readNodeRecord(state)?.url;
  return url === undefined ? [] : STATUS.parse(await (await fetch(`${url}/api/status`)).json()).services;
};

const allReady = (state: string) => async (): Promise<boolean> => {
  const services = await statusOf(state).catch(() => []);
  return services.length > 0 && services.every((one) => one.state === "ready");
};

it("another spec takes over: what is started the same goes on in its process, the rest is replaced", async () => {
  const folder = temporaryFolder();
  const state = join(folder.path, "state");
  const path = join(folder.path, "omni.yaml");
  writeFileSync(path, SPEC(8192, "second"));
  const before = await startNode([path, "--simulate"], state);
  let after: ReturnType<typeof launch> | undefined;
  try {
    await eventually(allReady(state));
    const pids = new Map((await statusOf(state)).map(({ name, pid }) => [name, pid]));
    const refused = await omni(["up", path, "--simulate", "--port", "0"], state);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("node.already-running")]);

    writeFileSync(path, SPEC(4096, "third"));
    const left = once(before.child, "close");
    after = launch(["up", path, "--simulate", "--replace", "--port", "0"], state);
    await left;
    expect([before.child.exitCode, before.stderr()]).toEqual([0, expect.stringContaining("Handing over")]);
    await eventually(allReady(state));
    const now = await statusOf(state);
    expect(now.map(({ name }) => name)).toEqual(["first", "third"]);
    expect(now[0]).toMatchObject({ pid: pids.get("first"), adopted: true });
    const ours = new Set(processesWith(state));
    expect(processesWith(`"service":"second"`).filter((pid) => ours.has(pid))).toEqual([]);
    const ended = once(after, "close");
    after.kill("SIGINT");
    await ended;
    expect(after.exitCode).toBe(0);
    expect(processesWith(state)).toEqual([]);
  } finally {
    before.child.kill("SIGKILL");
    after?.kill("SIGKILL");
    folder.remove();
  }
});

it("a node that was told to keep its engines leaves them to the next start", async () => {
  const folder = temporaryFolder();
  const state = join(folder.path, "state");
  const path = join(folder.path, "omni.yaml");
  writeFileSync(path, SPEC(8192, "second"));
  const before = await startNode([path, "--simulate", "--keep-engines"], state);
  try {
    await eventually(allReady(state));
    const pids = (await statusOf(state)).map(({ pid }) => pid);
    expect(await before.interrupt()).toBe(0);
    for (const pid of pids) expect(processesWith(state)).toContain(pid);
    const after = await startNode([path, "--simulate"], state);
    try {
      await eventually(allReady(state));
      expect(await statusOf(state)).toMatchObject(pids.map((pid) => ({ pid, adopted: true })));
      expect(await after.interrupt()).toBe(0);
      expect(processesWith(state)).toEqual([]);
    } finally {
      after.child.kill("SIGKILL");
    }
  } finally {
    before.child.kill("SIGKILL");
    folder.remove();
  }
});
