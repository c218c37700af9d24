import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { findEngineDriver } from "../../src/engines/drivers/find-engine-driver.ts";
import type { EngineDriver } from "../../src/engines/engine.ts";
import { expectedAnswer } from "../../src/simulation/index.ts";
import type { SimulatedEngine } from "./simulated.ts";
import {
  PATIENT,
  CARD,
  COMMANDS,
  endAll,
  eventsOf,
  freePort,
  MEMORY,
  startSimulated,
  streamedText,
  testBoard,
} from "./simulated.ts";

const CHAT = "/v1/chat/completions";
const ask = (content: string, more = {}): object => ({ messages: [{ role: "user", content }], ...more });

function driverOf(kind: string): EngineDriver {
  const driver = findEngineDriver(kind);
  if (driver === undefined) throw new Error(`no driver of ${kind}`);
  return driver;
}

describe.each(["llama.cpp", "vllm", "sglang", "ktransformers"])("%s", (kind) => {
  const place = testBoard();
  const driver = driverOf(kind);
  let engine: SimulatedEngine;
  /** What the engine says that it is at, as its driver reads it. */
  const load = async (): Promise<object> =>
    driver.load?.read((await engine.send("GET", "/metrics")).body) ?? {};
  /** Under "hang" nothing is computed until "heal": what a test looks at lasts as long as it looks. */
  const order = (name: "hang" | "heal"): Promise<unknown> => engine.send("POST", "/simulate/fault", { name });
  beforeAll(async () => {
    engine = startSimulated(place.board, kind);
    await engine.ready();
  });
  afterAll(async () => {
    await endAll();
    place.close();
  });

  test("is healthy, passes the probe and tells its load, as its driver reads them", async () => {
    const health = await engine.send("GET", driver.healthPath);
    expect(driver.readHealth(health.status, health.body)).toEqual({ state: "ready" });
    const request = driver.probe?.request({ servedName: "brain" });
    const probed = await engine.send("POST", request?.path ?? "", JSON.parse(request?.body ?? "{}"));
    expect(driver.probe?.fault(probed.status, probed.body)).toBeUndefined();
    const before = await load();
    await order("hang");
    const open = engine.send("POST", CHAT, ask("words=200"));
    await expect.poll(load, PATIENT).toMatchObject({ running: 1, waiting: 0 });
    await order("heal");
    await open;
    const after = await load();
    expect(after).toMatchObject({ running: 0 });
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before));
    const { generatedTokens = 0 } = driver.load?.read((await engine.send("GET", "/metrics")).body) ?? {};
    expect(generatedTokens).toBeGreaterThanOrEqual(201);
  });

  test("says what it took, as its driver reads it, and holds it", () => {
    const took = driver.readTook(engine.lines);
    expect((took.devices[0]?.weights ?? 0) / GIB).toBeCloseTo(10, 1);
    expect(driver.onProcessorInstead(engine.lines)).toBeUndefined();
    expect(place.board.holders(CARD)).toEqual([{ pid: engine.pid, name: kind, bytes: expect.any(Number) }]);
    expect(place.board.used(CARD) / GIB).toBeGreaterThan(15);
  });

  test("answers whole and streamed with the same text and count", async () => {
    const prompt = "user: How are you?";
    const { text, tokens, promptTokens } = expectedAnswer(prompt);
    const whole = JSON.parse((await engine.send("POST", CHAT, ask("How are you?", { model: "brain" }))).body);
    expect(whole).toMatchObject({
      object: "chat.completion",
      choices: [{ message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: tokens.length,
        total_tokens: promptTokens + tokens.length,
      },
    });
    const options = { stream: true, stream_options: { include_usage: true } };
    const streamed = await engine.send("POST", CHAT, ask("How are you?", options));
    const events = eventsOf(streamed.body);
    expect(events.at(-1)).toBe("[DONE]");
    expect(JSON.parse(events.at(-2) ?? "{}")).toMatchObject({
      choices: [],
      usage: { completion_tokens: tokens.length },
    });
    expect(streamedText(streamed.body)).toBe(text);
  });

  test("keeps to max_tokens, stop and the context, and completes text too", async () => {
    const completion = await engine.send("POST", "/v1/completions", { prompt: "x words=50", max_tokens: 3 });
    expect(JSON.parse(completion.body).choices[0]).toMatchObject({
      text: expectedAnswer("x words=50", { maxTokens: 3 }).text,
      finish_reason: "length",
    });
    const stopped = await engine.send("POST", CHAT, ask("words=50", { stop: [" w4"] }));
    expect(JSON.parse(stopped.body)).toMatchObject({
      choices: [{ message: { content: expect.stringMatching(/w3$/) }, finish_reason: "stop" }],
    });
    const long = await engine.send("POST", CHAT, ask("y".repeat(20_000)));
    expect(long.status).toBe(400);
    expect(long.body).toMatch(/context/);
  });

  test("computes two at a time, and the rest in order", async () => {
    const ended: number[] = [];
    // Nothing is computed until all have come, each when the one before it is known to be there: connections that are
    // opened at the same time are accepted in any order.
    await order("hang");
    const answers: Promise<number>[] = [];
    for (const [i, words] of [60, 60, 4, 100].entries()) {
      answers.push(engine.send("POST", CHAT, ask(`words=${words}`)).then(() => ended.push(i)));
      await expect
        .poll(load, PATIENT)
        .toMatchObject({ running: Math.min(2, i + 1), waiting: Math.max(0, i - 1) });
    }
    await order("heal");
    await Promise.all(answers);
    // The third has the first place that is free, and the fourth the one that is free then.
    expect(ended.indexOf(2)).toBeGreaterThan(0);
    expect(ended.indexOf(3)).toBeGreaterThan(ended.indexOf(2));
  });

  test("ends in order on SIGTERM, and the card is free", async () => {
    engine.signal("SIGTERM");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(place.board.used(CARD)).toBe(0);
  });
});

describe("what is particular", () => {
  const place = testBoard();
  afterAll(async () => {
    await endAll();
    place.close();
  });

  test("llama-server tells of slots, and of loading with 503", async () => {
    const engine = startSimulated(place.board, "llama.cpp", { loadTime: 1500, memory: {} });
    const driver = driverOf("llama.cpp");
    const states = new Set<string>();
    await expect
      .poll(async () => {
        const answer = await engine.send("GET", "/health").catch(() => undefined);
        if (answer !== undefined) states.add(driver.readHealth(answer.status, answer.body).state);
        return states.size;
      }, PATIENT)
      .toBe(2);
    expect([...states]).toEqual(["loading", "ready"]);
    expect(JSON.parse((await engine.send("GET", "/slots")).body)).toHaveLength(2);
    expect(JSON.parse((await engine.send("GET", "/props")).body)).toMatchObject({
      total_slots: 2,
      model_alias: "brain",
    });
    const vector = await engine.send("POST", "/v1/embeddings", { input: "x" });
    expect([vector.status, vector.body]).toEqual([501, expect.stringContaining("--embeddings")]);
    engine.signal("SIGKILL");
    await engine.exited;
  });

  test("vectors and an order of documents pass the probes", async () => {
    const command = ["llama-server", "--model", "/m", "--embeddings", "--reranking"];
    const engine = startSimulated(place.board, "llama.cpp", { memory: {} }, command);
    await engine.ready();
    const { probe } = driverOf("llama.cpp");
    for (const task of ["embeddings", "rerank"] as const) {
      const request = probe?.request({ servedName: "brain", task });
      const { status, body } = await engine.send(
        "POST",
        request?.path ?? "",
        JSON.parse(request?.body ?? "{}"),
      );
      expect(probe?.fault(status, body)).toBeUndefined();
    }
    engine.signal("SIGKILL");
    await engine.exited;
  });

  test("vLLM sleeps: its card is free, its work waits; it wakes, or says why not", async () => {
    const command = [...(COMMANDS["vllm"] ?? []), "--enable-sleep-mode"];
    const engine = startSimulated(place.board, "vllm", {}, command, { VLLM_SERVER_DEV_MODE: "1" });
    await engine.ready();
    const { sleep } = driverOf("vllm");
    expect((await engine.send("POST", sleep?.sleep.path ?? "")).status).toBe(200);
    expect(place.board.used(CARD)).toBe(1.5 * GIB);
    expect(place.board.used("cpu")).toBe(10 * GIB);
    expect(JSON.parse((await engine.send("GET", "/is_sleeping")).body)).toEqual({ is_sleeping: true });
    const waiting = engine.send("POST", CHAT, ask("Hello"));
    place.board.steal(CARD, 25 * GIB);
    expect((await engine.send("POST", sleep?.wake.path ?? "")).status).toBe(500);
    place.board.giveBack(CARD);
    expect((await engine.send("POST", sleep?.wake.path ?? "")).status).toBe(200);
    expect((await waiting).status).toBe(200);
    expect(place.board.used("cpu")).toBe(0);
    expect((await engine.send("POST", CHAT, { ...ask("x"), model: "other" })).status).toBe(404);
    engine.signal("SIGKILL");
    await engine.exited;
  });

  test("Triton generates, streams, has metrics on a port of their own, and outlives vLLM", async () => {
    const port = await freePort();
    const metrics = await freePort();
    const engine = startSimulated(
      place.board,
      "triton-vllm",
      { address: { kind: "tcp", host: "127.0.0.1", port } },
      [...(COMMANDS["triton-vllm"] ?? []), `--metrics-port=${metrics}`],
    );
    const { probe, load } = driverOf("triton-vllm");
    await engine.ready("/v2/models/brain/ready");
    const request = probe?.request({ servedName: "brain" });
    const probed = await engine.send("POST", request?.path ?? "", JSON.parse(request?.body ?? "{}"));
    expect(probe?.fault(probed.status, probed.body)).toBeUndefined();
    const streamed = await engine.send("POST", "/v2/models/brain/generate_stream", {
      text_input: "a",
      parameters: { max_tokens: 3 },
    });
    const pieces = eventsOf(streamed.body).map((event): string => JSON.parse(event).text_output);
    expect(pieces.join("")).toBe(expectedAnswer("a", { maxTokens: 3 }).text);
    const { body } = await fetch(`http://127.0.0.1:${metrics}/metrics`).then(async (page) => ({
      body: await page.text(),
    }));
    expect(load?.read(body)).toMatchObject({ waiting: 0, promptTokens: 3, progress: expect.any(Number) });
    await engine.send("POST", "/simulate/fault", { name: "core-dead" });
    await expect
      .poll(async () => (await engine.send("GET", "/v2/models/brain/ready")).status, PATIENT)
      .toBe(400);
    expect((await engine.send("GET", "/v2/health/live")).status).toBe(200);
    engine.signal("SIGTERM");
    expect((await engine.exited).code).toBe(0);
  });

  test("an API elsewhere asks for its key", async () => {
    const engine = startSimulated(place.board, "openai", { memory: {}, key: "sk-right" });
    await expect
      .poll(async () => (await engine.send("GET", "/v1/models").catch(() => undefined))?.status, PATIENT)
      .toBe(401);
    const right = { authorization: "Bearer sk-right" };
    expect((await engine.send("GET", "/v1/models", undefined, right)).status).toBe(200);
    expect((await engine.send("POST", CHAT, ask("Hi", { model: "brain" }), right)).status).toBe(200);
    expect(
      (await engine.send("POST", CHAT, ask("Hi"), { authorization: "Bearer sk-wrong" })).body,
    ).not.toContain("sk-");
    engine.signal("SIGTERM");
    expect((await engine.exited).code).toBe(0);
  });

  test("an unknown flag is refused in the engine's own words and code", async () => {
    const llama = startSimulated(place.board, "llama.cpp", {}, [
      "llama-server",
      "--model",
      "/m",
      "--turbo",
      "9",
    ]);
    expect([(await llama.exited).code, llama.lines]).toEqual([1, ["error: invalid argument: --turbo"]]);
    const vllm = startSimulated(place.board, "vllm", {}, ["vllm", "serve", "/m", "--swap-space", "4"]);
    expect([(await vllm.exited).code, vllm.lines.at(-1)]).toEqual([
      2,
      "vllm: error: unrecognized arguments: --swap-space 4",
    ]);
    expect(place.board.used(CARD)).toBe(0);
    expect(Object.keys(MEMORY)).toEqual([CARD]);
  });
});
