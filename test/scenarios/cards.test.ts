import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";

/** A card of its own for each kind of trouble; `main` has another that stands in for it. */
const CARDS = `omni: 1
name: cards
metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 128GB }
  gpus:
    gpu0: { model: RTX 5090, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
    gpu2: { model: RTX 3090, index: 2 }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
services:
  main: { model: coder, engine: llama.cpp, devices: gpu0, context: 32768, parallel: 4 }
  other: { model: coder, engine: llama.cpp, devices: gpu1, context: 8192, parallel: 4 }
  boss:
    { model: coder, engine: llama.cpp, devices: gpu2, context: 8192, parallel: 2, priority: 9, ladder: [evict-others] }
  lesser: { model: coder, engine: llama.cpp, devices: gpu2, context: 8192, parallel: 2, priority: 2, ladder: false }
  pinned:
    { model: coder, engine: llama.cpp, devices: gpu2, context: 8192, parallel: 2, priority: 1, pinned: true, ladder: false }
routes:
  chat: [main, other]
policies:
  headroom: { vram: 1GB }
  ladder: [quantize-kv-cache, halve-context, reduce-parallel]
  restart: { restarts: 20, window: 10m, backoffMin: 200ms, backoffMax: 1s }
  watch: { interval: 250ms, coolDown: 2s, stall: 4s, maxTemperature: 90C }
`;

const GIB = 2 ** 30;

describe("trouble with cards", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(CARDS);
  });
  beforeEach(() => node.calm());
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  it("vram-stolen-at-run-and-given-back", async () => {
    const card = node.card(0);
    const tally = await node.underLoad({ model: "chat" }, async () => {
      node.board.steal(card, node.board.free(card), "another-program");
      await node.tells(
        [
          "ladder.down",
          "main",
          /rung 1 \(KV cache f16 → q8_0\): gpu0 has .* free, .* is kept free, and .*; it steps back up/,
        ],
        ["service.draining", "main"],
        ["service.ready", "main"],
      );
      const { ladder } = await node.service("main");
      expect(ladder?.because).toContain("gpu0 has");
      expect(ladder?.backWhen).toMatch(/after 2\.0 s of at least .* free on gpu0/);
      node.board.giveBack(card);
      await node.tells(
        ["ladder.down", "main"],
        ["ladder.up", "main", /as planned again .*there was room and calm for the whole cool-down/],
        ["service.ready", "main"],
      );
    });
    expect(tally.lost).toEqual([]);
    // A rung needs a restart: it drains first, so that nobody is cut.
    expect(tally.cut).toBe(0);
    expect((await node.service("main")).ladder).toBeUndefined();
  });

  it("overheated-card", async () => {
    const card = node.card(1);
    const tally = await node.underLoad({ model: "other" }, async () => {
      node.board.overheat(card, 97);
      await node.tells(["ladder.down", "other", /gpu1 is at 97 °C, its limit is 90 °C/]);
      node.board.overheat(card, 60);
      await node.tells(["ladder.down", "other"], ["ladder.up", "other", /as planned again/]);
      await node.untilState("other", "ready");
    });
    node.board.overheat(card);
    expect(tally.lost).toEqual([]);
    expect(tally.cut).toBe(0);
  });

  it("gpu-lost-and-back", async () => {
    const card = node.card(0);
    const { pid = 0 } = await node.service("main");
    const tally = await node.underLoad({ model: "chat" }, async () => {
      node.board.lose(card);
      await node.tells(
        // The kernel's log and nvidia-smi both tell; which of them first is chance.
        ["gpu.lost|gpu.xid", undefined, /gpu0 .*The machine has to be restarted/],
        ["service.card-lost", "main", /gpu0/],
        ["node.replanned", undefined, /gpu0 is lost: .*Without a place for now: main/],
      );
      await node.untilState("main", "failed");
      expect((await node.ask("chat")).headers.get("x-omni-service")).toBe("other");
      node.board.restore(card);
      await node.tells(
        ["gpu.back"],
        ["gpu.cool-down", undefined, /gpu0 gets its services back when it has been well for 2\.0 s/],
        ["node.replanned", undefined, /gpu0 is back/],
        ["service.ready", "main"],
      );
    });
    expect(tally.lost).toEqual([]);
    expect((await node.service("main")).pid).not.toBe(pid);
  });

  it("xid-that-is-only-informational", async () => {
    const { pid } = await node.service("main");
    node.board.xid(node.card(0), 63);
    await node.tells(["gpu.xid", undefined, /63.*Nothing has to be done/]);
    expect(await node.service("main")).toMatchObject({ state: "ready", pid });
    expect((await node.story()).filter(({ service }) => service !== undefined)).toEqual([]);
  });

  it("xid-that-an-engine-caused", async () => {
    const { pid = 0 } = await node.service("main");
    const tally = await node.underLoad({ model: "chat" }, async () => {
      node.board.xid(node.card(0), 31, pid);
      await node.tells(
        ["gpu.xid", undefined, /31.*restarted, which Omni does/],
        ["service.restarting", "main"],
        ["service.ready", "main"],
      );
    });
    expect(tally.lost).toEqual([]);
  });

  it("a-foreign-process-holds-the-card-at-start", async () => {
    const card = node.card(0);
    await node.api.order("main", "unload");
    await node.untilState("main", "unloaded");
    // A driver needs a moment to give back what it held.
    await node.until("the card is empty", () => node.board.used(card) === 0);
    node.board.steal(card, node.board.free(card) - 2 * GIB, "another-program");
    await node.begin();
    await node.api.order("main", "load");
    await node.until("it says who holds the card", async () => {
      const { state, reason } = await node.service("main");
      return (
        state === "queued" && /gpu0 has 2\.00 GiB free of the .* needed; process \d+ holds/.test(reason ?? "")
      );
    });
    expect((await node.ask("chat")).headers.get("x-omni-service")).toBe("other");
    node.board.giveBack(card);
    await node.tells(["service.queued", "main"], ["service.starting", "main"], ["service.ready", "main"]);
    expect((await node.story()).some(({ kind }) => kind === "service.crashed")).toBe(false);
  });

  it("evict-others-spares-the-pinned", async () => {
    const card = node.card(2);
    const { pid } = await node.service("pinned");
    node.board.steal(card, node.board.free(card), "another-program");
    await node.tells(
      ["ladder.down", "boss", /unload lesser/],
      ["service.unloaded", "lesser", /boss needs its memory/i],
    );
    expect(await node.service("pinned")).toMatchObject({ state: "ready", pid });
    expect((await node.service("boss")).state).toBe("ready");
    node.board.giveBack(card);
    await node.tells(["ladder.up", "boss"], ["service.ready", "lesser"]);
    expect(await node.service("pinned")).toMatchObject({ state: "ready", pid });
  });

  it("a-start-waits-until-memory-is-really-free", async () => {
    // A driver that gives memory back late. Whoever looks at the board from now on sees it so.
    const file = join(node.board.folder, "board.json");
    const text = readFileSync(file, "utf8");
    const slow = { ...JSON.parse(text), releaseDelay: 2500 };
    writeFileSync(file, JSON.stringify(slow));
    await node.own.killAndRestart();
    await node.calm();
    // So much that two of it do not fit at once.
    node.board.steal(node.card(1), node.board.free(node.card(1)) - 2 * GIB, "another-program");
    await node.begin();
    await node.api.order("other", "restart");
    await node.until("it waits for memory", async () => {
      const { state, reason } = await node.service("other");
      return state === "queued" && /gpu1 has .* free of the .* needed/.test(reason ?? "");
    });
    await node.tells(
      ["service.stopping", "other"],
      ["service.starting", "other"],
      ["service.ready", "other"],
    );
    const story = await node.story();
    expect(story.filter(({ service, severity }) => service === "other" && severity === "error")).toEqual([]);
    const at = (kind: string): number =>
      story.find((event) => event.kind === kind && event.service === "other")?.time ?? 0;
    expect(at("service.starting") - at("service.stopping")).toBeGreaterThan(2000);
    node.board.giveBack(node.card(1));
    writeFileSync(file, text);
  });
});
