import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { endAll, freePort, startSimulated, testBoard } from "../simulation/simulated.ts";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";

/** A service whose ladder leads away from this machine in the end. */
const ELSEWHERE = `omni: 1
name: elsewhere
metal:
  platform: linux
  cpu: { cores: 32, threads: 64 }
  memory: { size: 128GB }
  gpus:
    gpu0: { model: RTX 3090, index: 0 }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
  cloud: { source: { remote: big-model } }
engines:
  provider: { kind: openai, url: "https://provider.invalid/v1" }
services:
  main:
    model: coder
    engine: llama.cpp
    devices: gpu0
    context: 8192
    parallel: 4
    ladder: [{ step: route-long-prompts, to: slow, above: 1000 }, { step: remote-fallback, to: cloud }]
  slow: { model: coder, engine: llama.cpp, devices: cpu, context: 8192, parallel: 2, ladder: false }
  cloud: { model: cloud, engine: provider }
policies:
  headroom: { vram: 1GB }
  restart: { restarts: 20, window: 10m, backoffMin: 200ms, backoffMax: 1s }
  watch: { interval: 250ms, coolDown: 2s, stall: 4s }
`;

/** About 2 000 tokens. */
const LONG = [{ role: "user", content: "tell me about this long text ".repeat(300) }];

describe("a ladder that leads elsewhere", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(ELSEWHERE);
  });
  beforeEach(() => node.calm());
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  const answeredBy = async (body: Readonly<Record<string, unknown>> = {}): Promise<string | null> => {
    const response = await node.ask("main", body);
    expect(response.status).toBe(200);
    await response.text();
    return response.headers.get("x-omni-service");
  };

  it("remote-fallback-when-memory-is-stolen", async () => {
    const card = node.card(0);
    const tally = await node.underLoad({ model: "main" }, async () => {
      node.board.steal(card, node.board.free(card), "another-program");
      await node.tells(
        ["ladder.down", "main", /requests go to cloud and main is unloaded\): gpu0 has/],
        ["service.unloaded", "main"],
      );
      expect(await answeredBy()).toBe("cloud");
      expect(await node.service("main")).toMatchObject({ state: "unloaded", divertedTo: "cloud" });
      node.board.giveBack(card);
      await node.tells(["ladder.down", "main"], ["ladder.up", "main"], ["service.ready", "main"]);
      await node.until("it answers itself again", async () => (await answeredBy()) === "main");
    });
    expect(tally.lost).toEqual([]);
    expect(tally.cut).toBe(0);
  });

  it("long-prompts-go-elsewhere", async () => {
    expect(await answeredBy({ messages: LONG })).toBe("main");
    const { pid } = await node.service("main");
    await node.api.order("main", "step-down");
    await node.tells([
      "ladder.down",
      "main",
      /prompts above 1000 tokens go to slow\): its owner stepped it down/,
    ]);
    expect(await node.service("main")).toMatchObject({ longPrompts: { above: 1000, to: "slow" }, pid });
    expect(await answeredBy({ messages: LONG })).toBe("slow");
    expect(await answeredBy()).toBe("main");
    await node.api.order("main", "step-up");
    await node.tells(["ladder.up", "main", /its owner stepped it up/]);
    expect(await answeredBy({ messages: LONG })).toBe("main");
    expect((await node.service("main")).pid).toBe(pid);
  });
});

describe("a remote API that asks for a key", { timeout: LIMIT }, () => {
  const cards = testBoard();
  let node: ScenarioNode;
  beforeAll(async () => {
    const port = await freePort();
    const address = { kind: "tcp", host: "127.0.0.1", port } as const;
    const api = startSimulated(cards.board, "openai", { address, key: "sk-scenario", model: "big-model" });
    while ((await api.send("GET", "/v1/models").catch(() => undefined))?.status !== 401) await sleep(20);
    process.env["OMNI_SCENARIO_KEY"] = "sk-scenario";
    node = await ScenarioNode.start(
      `omni: 1
name: keyed
models:
  omni-demo: builtin:omni-demo
  cloud: { source: { remote: big-model } }
engines:
  provider: { kind: openai, url: "http://127.0.0.1:${port}/v1", apiKey: { env: OMNI_SCENARIO_KEY } }
services:
  here: { model: omni-demo, ladder: [{ step: remote-fallback, to: cloud }] }
  cloud: { model: cloud, engine: provider }
`,
      { simulate: false },
    );
  });
  afterAll(async () => {
    await node.end();
    delete process.env["OMNI_SCENARIO_KEY"];
    await endAll();
    cards.close();
  });

  it("remote-fallback-with-a-key", async () => {
    await node.api.order("here", "step-down");
    await node.tells(["ladder.down", "here", /requests go to cloud/], ["service.unloaded", "here"]);
    const response = await node.ask("here");
    expect(response.status).toBe(200);
    expect(response.headers.get("x-omni-service")).toBe("cloud");
    await node.api.order("here", "step-up");
    await node.tells(["ladder.up", "here"], ["service.ready", "here"]);
    expect((await node.ask("here")).headers.get("x-omni-service")).toBe("here");
    // The key is in no event and no status.
    const told = JSON.stringify([await node.api.since(0), await node.api.state(), node.own.output()]);
    expect(told).not.toContain("sk-scenario");
  });
});
