import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startClients } from "../../src/chaos/index.ts";
import { seenBy } from "./seen-by-clients.ts";
import { LIMIT, ScenarioNode } from "./scenario-node.ts";
import { placeOf } from "./told.ts";
import type { Expected } from "./told.ts";

/** Services that depend on each other, and what their owner does to them. */
const CHANGES = `omni: 1
name: changes
metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 64GB }
  gpus:
    gpu0: { model: RTX 5090, index: 0 }
    gpu1: { model: RTX 3090, index: 1 }
    gpu2: { model: RTX 3090, index: 2 }
runtime: process
models:
  coder: { source: { file: /models/coder.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M }
services:
  base: { model: coder, engine: llama.cpp, devices: gpu0, context: 8192, parallel: 4, ladder: false }
  above: { model: coder, engine: llama.cpp, devices: gpu1, context: 8192, parallel: 4, after: base, ladder: false }
  leaving: { model: coder, engine: llama.cpp, devices: gpu2, context: 8192, parallel: 4, ladder: false }
policies:
  restart: { restarts: 20, window: 10m, backoffMin: 200ms, backoffMax: 1s }
  watch: { interval: 250ms, coolDown: 2s, stall: 4s }
`;

describe("what its owner does to a node", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(CHANGES, { ownDisk: true });
  });
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  it("start-in-the-order-of-dependencies", async () => {
    const story = await node.api.since(0);
    const at = (kind: string, service: string): number => placeOf(story, kind, service);
    expect(at("service.starting", "above")).toBeGreaterThan(at("service.ready", "base"));
    expect(story[at("service.queued", "above")]?.message).toMatch(/waits .*base/);
    // What depends on nobody waits for nobody.
    expect(at("service.starting", "leaving")).toBeLessThan(at("service.ready", "base"));
  });

  it("kill-of-the-only-engine", async () => {
    await node.calm();
    const tally = await node.underLoad({ model: "base" }, async () => {
      await node.kill("base");
      await node.tells(
        ["service.crashed", "base", /SIGKILL/],
        ["service.restarting", "base"],
        ["service.ready", "base"],
      );
    });
    // There is no other: who had no answer yet waited for the restart.
    expect(tally.lost).toEqual([]);
  });

  it("restart-by-hand-under-load", async () => {
    await node.calm();
    const { pid } = await node.service("base");
    const tally = await node.underLoad({ model: "base" }, async () => {
      await node.api.order("base", "restart");
      await node.tells(
        ["service.ordered", "base", /restart/],
        ["service.draining", "base", /may finish/],
        ["service.stopping", "base"],
        ["service.starting", "base", /owner/],
        ["service.ready", "base"],
      );
    });
    expect(tally.lost).toEqual([]);
    expect(tally.cut).toBe(0);
    expect((await node.service("base")).pid).not.toBe(pid);
  });

  it("drain-and-resume-by-hand", async () => {
    await node.calm();
    const { pid } = await node.service("base");
    const clients = startClients({ node: node.api, model: "base", count: 3, tokens: 24, patience: 60_000 });
    await node.until("clients are answered", () => clients.answers.length > 3);
    await node.api.order("base", "drain");
    await node.until("what ran has finished", async () => {
      const { state, inFlight } = await node.service("base");
      return state === "draining" && inFlight === 0;
    });
    const before = clients.answers.length;
    await node.api.order("base", "resume");
    await node.until("those who waited are answered", () => clients.answers.length > before + 3);
    await clients.stop();
    const tally = seenBy(clients.answers);
    expect(tally.lost).toEqual([]);
    expect(tally.cut).toBe(0);
    expect((await node.service("base")).pid).toBe(pid);
    await node.tells(["service.draining", "base"], ["service.resumed", "base"]);
    // What is drained can be unloaded, too; a request loads it again.
    await node.api.order("base", "drain");
    await node.api.order("base", "unload");
    await node.untilState("base", "unloaded");
    expect((await node.ask("base")).status).toBe(200);
  });

  it("a-dependency-fails", async () => {
    await node.calm();
    node.board.plant("base", { name: "wrong-flag", text: "--gone" });
    await node.kill("base");
    await node.tells(["service.failed", "base", /--gone/]);
    // What runs goes on; what starts now waits, and says for whom.
    expect((await node.service("above")).state).toBe("ready");
    await node.api.order("above", "restart");
    await node.until("it says for whom it waits", async () => {
      const { state, reason = "" } = await node.service("above");
      return state === "queued" && reason.includes("base");
    });
    await node.api.order("base", "restart");
    await node.tells(["service.ready", "base"], ["service.starting", "above"], ["service.ready", "above"]);
  });

  it("changed-spec-with-the-least-disruption", async () => {
    await node.calm();
    const base = await node.service("base");
    const above = await node.service("above");
    const leaving = await node.service("leaving");
    writeFileSync(
      node.spec,
      CHANGES.replace("devices: gpu1, context: 8192", "devices: gpu1, context: 4096").replace(
        "  leaving: {",
        "  coming: {",
      ),
    );
    const shown = await node.omni("up", node.spec, "--simulate", "--dry-run");
    expect(shown.text).toMatch(/keep +base +it is started the same/);
    expect(shown.text).toMatch(/restart +above +its command, files or limits change/);
    expect(shown.text).toMatch(/start +coming +it is new/);
    expect(shown.text).toMatch(/stop +leaving +it is not in the plan/);
    const clients = startClients({ node: node.api, model: "base", count: 2, tokens: 24, patience: 60_000 });
    await node.until("clients are answered", () => clients.answers.length > 2);
    await node.replace();
    await node.untilState("coming", "ready");
    await node.until("the changed one runs anew", async () => {
      const { state, contextTokens } = await node.service("above");
      return state === "ready" && contextTokens === 4096;
    });
    await clients.stop();
    // While no Omni listens, clients are refused; nobody gets half an answer that looks whole.
    expect(seenBy(clients.answers).lost.filter((why) => !why.startsWith("refused"))).toEqual([]);
    expect(await node.service("base")).toMatchObject({ pid: base.pid, adopted: true });
    expect((await node.service("above")).pid).not.toBe(above.pid);
    await expect(node.service("leaving")).rejects.toThrow("no service");
    await node.until("the removed one has ended", async () => {
      const { services } = await node.api.state();
      return services.every(({ pid }) => pid !== leaving.pid);
    });
    await node.tells(
      ["node.released"],
      ["service.adopted", "base"],
      ["service.ready", "base", /without a restart/],
    );
  });
});

describe("Omni itself fails", { timeout: LIMIT }, () => {
  let node: ScenarioNode;
  beforeAll(async () => {
    node = await ScenarioNode.start(CHANGES, { ownDisk: true });
  });
  afterEach(() => node.expectNothingStray());
  afterAll(() => node.end());

  it("omni-killed-and-started-again", async () => {
    const before = (await node.api.state()).services.map(({ name, pid }) => [name, pid]);
    const clients = startClients({ node: node.api, model: "base", count: 3, tokens: 24, patience: 60_000 });
    await node.until("clients are answered", () => clients.answers.length > 3);
    await node.own.killAndRestart();
    await node.tells(
      ["service.adopted", "base", /still ran from before/],
      ["service.ready", "base", /without a restart/],
    );
    const known = clients.answers.length;
    await node.until("clients are answered again", () =>
      clients.answers.slice(known).some(({ outcome }) => outcome === "answered"),
    );
    await clients.stop();
    // While no Omni listens, clients are refused; nobody gets half an answer that looks whole.
    expect(seenBy(clients.answers).lost.filter((why) => !why.startsWith("refused"))).toEqual([]);
    const after = (await node.api.state()).services.map(({ name, pid }) => [name, pid]);
    expect(after).toEqual(before);
  });

  it("disk-full", async () => {
    await node.calm();
    const free = await node.own.fillDisk();
    // A disk of its own takes the right to mount one; without it nothing fails twice.
    expect(free !== undefined || process.getuid?.() !== 0).toBe(true);
    const again: readonly Expected[] = free === undefined ? [] : [["service.crashed", "base"]];
    const tally = await node.underLoad({ model: "base" }, async () => {
      await node.kill("base");
      // Cards and records lie on that disk, too: a start needs room for them, and is tried until there is some.
      await node.tells(["service.crashed", "base"], ["service.restarting", "base"], ...again);
      await free?.();
      await node.tells(["service.crashed", "base"], ...again, ["service.ready", "base"]);
    });
    // Nobody was answered in the meantime, and nobody was turned away.
    expect(tally.lost).toEqual([]);
    await node.begin();
    await node.api.order("base", "restart");
    // The story goes on once there is room.
    await node.tells(["service.ordered", "base"], ["service.ready", "base"]);
  });
});
