import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findEngineDriver } from "../../src/engines/drivers/find-engine-driver.ts";
import { expectedAnswer, tellEngine } from "../../src/simulation/index.ts";
import {
  PATIENT,
  CARD,
  endAll,
  eventsOf,
  SECOND_CARD,
  startSimulated,
  streamedText,
  testBoard,
  MEMORY,
} from "./simulated.ts";

const place = testBoard();
const engines = {
  "llama.cpp": startSimulated(place.board, "llama.cpp", { service: "llama" }),
  vllm: startSimulated(place.board, "vllm", {
    service: "vllm",
    memory: { [SECOND_CARD]: MEMORY[CARD] ?? {} },
  }),
};
beforeAll(() => Promise.all(Object.values(engines).map((engine) => engine.ready())));
afterEach(async () => {
  for (const { address } of Object.values(engines)) await tellEngine(address, { name: "heal" });
});
afterAll(async () => {
  await endAll();
  place.close();
});

const CHAT = "/v1/chat/completions";
const ask = (content: string, more = {}): object => ({ messages: [{ role: "user", content }], ...more });

describe("a fault that heals", () => {
  test("cuts a stream after so many tokens, once", async () => {
    const engine = engines.vllm;
    expect(await tellEngine(engine.address, { name: "cut-stream", tokens: 3, requests: 1 })).toBe(true);
    const cut = await engine.send("POST", CHAT, ask("words=9", { stream: true }));
    expect(cut).toMatchObject({ status: 200, cut: true });
    expect(streamedText(cut.body).split(" ")).toHaveLength(3);
    const whole = await engine.send("POST", CHAT, ask("words=9", { stream: true }));
    expect(whole.cut).toBe(false);
    expect(streamedText(whole.body)).toBe(expectedAnswer("user: words=9").text);
  });

  test("sends an event that is no JSON", async () => {
    const engine = engines["llama.cpp"];
    await tellEngine(engine.address, { name: "malformed", tokens: 1 });
    const { body, cut } = await engine.send("POST", CHAT, ask("words=4", { stream: true }));
    expect(cut).toBe(false);
    const broken = eventsOf(body).filter((event) => event !== "[DONE]" && !isJson(event));
    expect(broken).toHaveLength(1);
  });

  test.each([
    [{ name: "garbage" }, "is no JSON"],
    [{ name: "wrong" }, "holds no token"],
    [{ name: "wrong", text: "error" }, "answered 500"],
  ] as const)("%j is found by the driver's probe, while health is well", async (fault, words) => {
    const engine = engines.vllm;
    await tellEngine(engine.address, fault);
    expect((await engine.send("GET", "/health")).status).toBe(200);
    const probe = findEngineDriver("vllm")?.probe;
    const request = probe?.request({ servedName: "brain" });
    const { status, body } = await engine.send(
      "POST",
      request?.path ?? "",
      JSON.parse(request?.body ?? "{}"),
    );
    expect(probe?.fault(status, body)).toContain(words);
    await tellEngine(engine.address, { name: "heal" });
    const healed = await engine.send("POST", CHAT, ask("Hello"));
    expect(probe?.fault(healed.status, healed.body)).toBeUndefined();
  });

  test("hangs with work before it: health answers, counters stand still, and go on when it heals", async () => {
    const engine = engines["llama.cpp"];
    await tellEngine(engine.address, { name: "hang" });
    const waiting = engine.send("POST", CHAT, ask("words=5"));
    const load = findEngineDriver("llama.cpp")?.load;
    await expect
      .poll(async () => load?.read((await engine.send("GET", "/metrics")).body).running, PATIENT)
      .toBe(1);
    const before = load?.read((await engine.send("GET", "/metrics")).body).progress;
    await sleep(100);
    expect(load?.read((await engine.send("GET", "/metrics")).body).progress).toBe(before);
    expect((await engine.send("GET", "/health")).status).toBe(200);
    await tellEngine(engine.address, { name: "heal" });
    expect((await waiting).status).toBe(200);
  });

  test("stalls for a while: nothing answers, then everything", async () => {
    const engine = engines["llama.cpp"];
    await tellEngine(engine.address, { name: "stall", for: 1200 });
    const answered = await Promise.race([engine.send("GET", "/health"), sleep(150)]);
    expect(answered).toBeUndefined();
    await expect
      .poll(async () => (await Promise.race([engine.send("GET", "/health"), sleep(100)]))?.status, PATIENT)
      .toBe(200);
  });

  test("is deaf: new connections are refused, what runs goes on", async () => {
    const engine = engines["llama.cpp"];
    // It runs for as long as the test looks.
    await tellEngine(engine.address, { name: "hang" });
    const open = engine.send("POST", CHAT, ask("words=5"));
    await expect
      .poll(async () => (await engine.send("GET", "/metrics")).body, PATIENT)
      .toContain("requests_processing 1");
    await tellEngine(engine.address, { name: "deaf", for: 1200 });
    await expect(engine.send("GET", "/health")).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    await engine.ready();
    await tellEngine(engine.address, { name: "heal" });
    expect((await open).status).toBe(200);
  });

  test("is slow", async () => {
    const engine = engines["llama.cpp"];
    await tellEngine(engine.address, { name: "slow", tokensPerSecond: 20 });
    const begin = performance.now();
    await engine.send("POST", CHAT, ask("words=8"));
    expect(performance.now() - begin).toBeGreaterThan(380);
  });

  test("has no metrics any more", async () => {
    const engine = engines["llama.cpp"];
    await tellEngine(engine.address, { name: "metrics-silent" });
    expect((await engine.send("GET", "/metrics")).status).toBe(501);
    expect((await engine.send("GET", "/slots")).status).toBe(501);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
