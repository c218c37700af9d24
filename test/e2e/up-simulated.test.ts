import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { omni, processesWith, ROOT, startNode, temporaryFolder } from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";

const example = (name: string): string => join(ROOT, "examples", `${name}.yaml`);

const STATUS = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      engine: z.string(),
      kind: z.string(),
      simulated: z.literal(true),
      devices: z.array(z.string()).optional(),
      pid: z.int().optional(),
    }),
  ),
  routes: z.array(z.object({ name: z.string(), services: z.array(z.string()) })),
});
/** Kinds whose own API is another one than OpenAI's; the gateway does not translate. */
const OTHER_DIALECTS: ReadonlySet<string> = new Set(["comfyui", "triton-vllm"]);
const CHAT = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string().min(1) }) })) });

const statusOf = async (url: string): Promise<z.infer<typeof STATUS>> =>
  STATUS.parse(await (await fetch(`${url}/api/status`)).json());

/** Asks every route whose services speak OpenAI's dialect; returns their names. */
async function askRoutes(url: string): Promise<string[]> {
  const { services, routes } = await statusOf(url);
  const text = routes.filter((route) =>
    route.services.some((name) => services.some((one) => one.name === name && !OTHER_DIALECTS.has(one.kind))),
  );
  for (const { name } of text) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: name, max_tokens: 4, messages: [{ role: "user", content: "hello" }] }),
    });
    expect([name, response.status]).toEqual([name, 200]);
    CHAT.parse(await response.json());
  }
  return text.map(({ name }) => name);
}

describe("up examples/concrete-bunker.fixed.yaml --simulate", () => {
  const state = temporaryFolder();
  let node: RunningNode;

  beforeAll(async () => {
    node = await startNode([example("concrete-bunker.fixed"), "--simulate"], state.path);
  }, 60_000);
  afterAll(() => {
    node.child.kill("SIGKILL");
    state.remove();
  });

  it("prints where it listens, marked as simulated, and stays on this machine", async () => {
    expect(node.stdout()).toContain(`${node.url}/v1  SIMULATED`);
    expect(node.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const { stdout } = await omni(["status"], state.path);
    expect(stdout).toContain("SIMULATED: engines and cards are simulated; no model answers here.");
    expect(stdout).toMatch(/deepseek-v32 +ready .*gpu0 \+ gpu1/);
  });

  it("answers by each of its routes", async () => {
    expect(await askRoutes(node.url)).toContain("oracle");
  });

  it("keeps everything when it is planned again unchanged", async () => {
    const { stdout, code } = await omni(
      ["up", example("concrete-bunker.fixed"), "--simulate", "--dry-run"],
      state.path,
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`On the node at ${node.url}, ./omni up --replace would:`);
    expect(stdout).toMatch(/keep +deepseek-v32 +it is started the same/);
    expect(stdout).toMatch(/keep +qwen-executor +it is started the same/);
    expect(stdout).not.toMatch(/restart {2}|stop {2}/);
  });

  it("tells that another spec would stop these services and start its own", async () => {
    const { stdout } = await omni(["up", example("omni-prime.fixed"), "--simulate", "--dry-run"], state.path);
    expect(stdout).toMatch(/start +brain +it is new/);
    expect(stdout).toMatch(/stop +deepseek-v32 +it is not in the plan/);
  });

  it("steps down by hand and says so, and steps up again", async () => {
    const down = await omni(["service", "step-down", "deepseek-v32"], state.path);
    expect([down.code, down.stderr]).toEqual([0, ""]);
    await expect
      .poll(async () => (await omni(["status"], state.path)).stdout, { timeout: 20_000, interval: 250 })
      .toMatch(/^deepseek-v32: on rung 1 since \d\d:\d\d \(.+\), because .+; back up when .+$/m);
    await expect
      .poll(async () => (await omni(["service", "step-up", "deepseek-v32"], state.path)).code, {
        timeout: 30_000,
        interval: 500,
      })
      .toBe(0);
  });

  it("ends with Ctrl-C and leaves nothing", async () => {
    expect(await node.interrupt()).toBe(0);
    expect(processesWith(state.path)).toEqual([]);
    const after = await omni(["status"], state.path);
    expect([after.code, after.stderr]).toEqual([1, expect.stringContaining("No node runs on this machine.")]);
  });
});

describe("the other examples simulated", () => {
  it.each([
    ["leviathan.fixed", ["deepseek-v3"]],
    ["ai-factory.fixed", []],
    ["omni-prime.fixed", ["brain"]],
    // The embedded engine, simulated as the llama-server that would serve the same.
    ["laptop", ["chat"]],
  ])("%s comes up whole and answers", async (name, asked) => {
    const state = temporaryFolder();
    const node = await startNode([example(name), "--simulate"], state.path).catch((error: unknown) => {
      state.remove();
      throw error;
    });
    try {
      await expect
        .poll(async () => (await statusOf(node.url)).services.map((service) => service.state), {
          timeout: 40_000,
        })
        .not.toContain("loading");
      const { services } = await statusOf(node.url);
      expect(services.filter(({ state: now }) => now !== "ready" && now !== "unloaded")).toEqual([]);
      expect(await askRoutes(node.url)).toEqual(expect.arrayContaining(asked));
      expect(await node.interrupt()).toBe(0);
      expect(processesWith(state.path)).toEqual([]);
    } finally {
      node.child.kill("SIGKILL");
      state.remove();
    }
  });
});
