import { expect, test } from "vitest";
import { measureRoute, oneCompletion, openClient } from "../../src/acceptance/index.ts";
import type { AcceptanceClient, BenchSettings, RouteNumbers, Task } from "../../src/acceptance/index.ts";
import { startEngine } from "../fakes/engine-process.ts";
import { sendJson, startRecording } from "./recording-server.ts";
import type { RecordingOptions, RecordingServer } from "./recording-server.ts";

const SETTINGS: BenchSettings = {
  promptTokens: [100, 300],
  answerTokens: 12,
  rounds: 2,
  concurrency: [3],
  duration: 1,
  longContext: false,
};
const NOBODY = new AbortController().signal;

interface Asking {
  readonly task?: Task;
  readonly settings?: Partial<BenchSettings>;
  readonly context?: number;
  readonly signal?: AbortSignal;
  readonly services?: readonly string[];
  readonly onPart?: (name: string) => void;
}

async function measured(origin: string, asking: Asking = {}): Promise<RouteNumbers> {
  const { settings, ...rest } = asking;
  return withClient(origin, (client) =>
    measureRoute(client, {
      model: "m",
      task: "text",
      services: [],
      signal: NOBODY,
      ...rest,
      settings: { ...SETTINGS, ...settings },
    }),
  );
}

async function withClient<T>(origin: string, use: (client: AcceptanceClient) => Promise<T>): Promise<T> {
  const client = openClient({ base: `${origin}/v1`, key: "sk-known" });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const recorded = async (
  options: RecordingOptions,
  asking: Asking = {},
): Promise<{ readonly numbers: RouteNumbers; readonly server: RecordingServer }> => {
  await using server = await startRecording(options);
  return { numbers: await measured(server.origin, asking), server };
};

test("every part is measured, tokens as the engine counts them, and no prompt begins like another", async () => {
  const { numbers, server } = await recorded({});
  expect(numbers.prompts.map(({ aimed }) => aimed)).toEqual([100, 300]);
  for (const { aimed, tokens = 0, speed, ttft } of numbers.prompts) {
    expect(Math.abs(tokens / aimed - 1), `${tokens} for ${aimed}`).toBeLessThan(0.2);
    expect([speed?.of, ttft.of]).toEqual([2, 2]);
  }
  expect(numbers.generation).toMatchObject({ tokens: 12 });
  expect(numbers.sweep).toMatchObject([{ concurrency: 3, answered: 3, errors: {}, cut: 0 }]);
  expect(numbers.warmUp).toBeGreaterThan(0);
  expect(numbers.notes).toEqual([]);
  const beginnings = server.prompts().map((prompt) => prompt.slice(0, 12));
  expect(beginnings.length).toBeGreaterThanOrEqual(2 + 4 + 2 + 3);
  expect(new Set(beginnings).size).toBe(beginnings.length);
});

test("an engine of 50 tokens a second after 200 ms is measured as no faster than it is", async () => {
  await using engine = await startEngine({ FAKE_ORDERS: "[words 12][slow 20][stall 200]" });
  const settings = { promptTokens: [100], concurrency: [], rounds: 2 };
  const { generation, prompts } = await measured(engine.url, { settings });
  // A busy machine makes it slower, never faster than its sleeps; timers of Node may end a millisecond early.
  expect(generation?.speed?.median).toBeLessThan(54);
  expect(generation?.speed?.median).toBeGreaterThan(1);
  expect(generation?.ttft.p50).toBeGreaterThanOrEqual(199);
  expect(prompts[0]?.ttft.low).toBeGreaterThanOrEqual(199);
  expect(generation?.gap?.p50).toBeGreaterThan(18);
});

test("an engine that tells no usage gives times, no speeds, and a note", async () => {
  const { numbers } = await recorded({ silent: true });
  expect(numbers.generation).toHaveProperty("ttft");
  expect(numbers.generation).not.toHaveProperty("speed");
  expect(numbers.prompts[0]).not.toHaveProperty("speed");
  expect(numbers.sweep[0]).not.toHaveProperty("total");
  expect(numbers.notes).toEqual([expect.stringContaining("tells no usage")]);
});

test("an engine that dies in the middle of the first answer is told as that", async () => {
  await using engine = await startEngine({ FAKE_ORDERS: "[words 12][die-after 5]" });
  await expect(measured(engine.url)).rejects.toMatchObject({ code: "acceptance.cut" });
});

test("an engine that dies later leaves what was measured before", async () => {
  const { numbers } = await recorded({
    instead: (_, before, response) => {
      if (before >= 6) response.socket?.destroy();
      return before >= 6;
    },
  });
  expect(numbers.prompts).toHaveLength(2);
  expect(numbers.generation).toBeUndefined();
  expect(numbers.notes).toContainEqual(expect.stringMatching(/^generation: Nothing answers/));
  expect(numbers.sweep[0]?.answered).toBe(0);
  expect(Object.values(numbers.sweep[0]?.errors ?? {})).toEqual([3]);
});

test.each([
  ["garbage", "[garbage]", "acceptance.no-server"],
  ["an error", "[500]", "acceptance.refused"],
] as const)("%s is no answer", async (_, orders, code) => {
  await using engine = await startEngine({ FAKE_ORDERS: orders });
  await expect(measured(engine.url)).rejects.toMatchObject({ code });
});

test("a page in place of events is no answer, and nobody there is told as that", async () => {
  await using server = await startRecording({
    instead: (_, __, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).end("data: <html>\n\n");
      return true;
    },
  });
  await expect(measured(server.origin)).rejects.toMatchObject({ code: "acceptance.bad-answer" });
  await expect(measured("http://127.0.0.1:9")).rejects.toMatchObject({ code: "acceptance.no-server" });
});

test("a server that knows fewer members, or no chat, is asked as it can be", async () => {
  const strict: RecordingOptions = {
    instead: ({ body }, _, response) =>
      "ignore_eos" in body && sendJson(response, 400, { error: { message: "unknown member ignore_eos" } }),
  };
  const { numbers, server } = await recorded(strict);
  expect(numbers.generation?.speed).toBeDefined();
  expect(server.asked.filter(({ body }) => "ignore_eos" in body)).toHaveLength(1);
  const completions = await recorded({
    instead: ({ path }, _, response) => {
      if (path === "/v1/chat/completions")
        return sendJson(response, 400, { error: { message: "the model has no chat template" } });
      const event = { choices: [{ text: "w", finish_reason: "length" }] };
      response.writeHead(200).end(`data: ${JSON.stringify(event)}\n\n`);
      return true;
    },
  });
  expect(completions.numbers.generation?.ttft).toBeDefined();
  expect(completions.server.asked.slice(-1)[0]?.path).toBe("/v1/completions");
});

test("refusals of a level are counted by their words", async () => {
  const { numbers } = await recorded(
    {
      instead: (_, before, response) =>
        before >= 7 && sendJson(response, 429, { error: { message: "the queue is full" } }),
    },
    { settings: { promptTokens: [100] } },
  );
  const [level] = numbers.sweep;
  expect(Object.keys(level?.errors ?? {})).toEqual(["m: 429 the queue is full"]);
  expect(level?.answered).toBeGreaterThan(0);
});

test("prompts that do not fit are left out and said; long ones fill shares of the context", async () => {
  const settings = { promptTokens: [100, 5000], longContext: true };
  const { numbers } = await recorded({}, { context: 2000, settings });
  expect(numbers.prompts.map(({ aimed }) => aimed)).toEqual([100]);
  expect(numbers.notes).toEqual([expect.stringContaining("5000 tokens does not fit the context of 2000")]);
  expect(numbers.long.map(({ share, aimed }) => [share, aimed])).toEqual([
    [0.25, 436],
    [0.5, 936],
    [0.9, 1736],
  ]);
  const unknown = await recorded({}, { settings: { longContext: true } });
  expect(unknown.numbers.notes).toEqual([expect.stringContaining("Nobody tells the context")]);
});

test("what was measured before an interruption comes back, marked", async () => {
  const ending = new AbortController();
  const { numbers } = await recorded(
    {},
    {
      signal: ending.signal,
      onPart: (name) => {
        if (name === "generation") ending.abort(new Error("enough"));
      },
    },
  );
  expect(numbers.prompts).toHaveLength(2);
  expect(numbers).toMatchObject({ interrupted: true, sweep: [] });
  await expect(recorded({}, { signal: AbortSignal.abort(new Error("at once")) })).rejects.toThrow("at once");
});

test("embeddings and images have figures of their own", async () => {
  const embeddings = await recorded({}, { task: "embeddings" });
  expect(embeddings.numbers.prompts.map(({ speed }) => speed?.of)).toEqual([2, 2]);
  expect(embeddings.numbers.notes).toEqual([expect.stringContaining("makes embeddings")]);
  const images = await recorded({}, { task: "image" });
  expect(images.numbers.image).toMatchObject({ of: 2 });
  expect(images.server.asked.every(({ path }) => path === "/v1/images/generations")).toBe(true);
  const empty: RecordingOptions = { instead: (_, __, response) => sendJson(response, 200, { data: [] }) };
  await expect(recorded(empty, { task: "image" })).rejects.toMatchObject({ code: "acceptance.bad-answer" });
  await expect(recorded(empty, { task: "embeddings" })).rejects.toMatchObject({
    code: "acceptance.bad-answer",
  });
});

test("requests of others at the same services are noticed", async () => {
  let attempts = 40;
  const { numbers } = await recorded(
    {
      instead: ({ path }, _, response) => {
        if (path !== "/api/status") return false;
        const view = { name: "s", engine: "e", model: "m", state: "ready", contextTokens: 0, parallel: 1 };
        attempts += 25;
        return sendJson(response, 200, {
          version: "1",
          url: "http://x",
          routes: [],
          services: [{ ...view, inFlight: attempts > 70 ? 0 : 2 }],
          traffic: { s: { attempts, retried: 0 } },
        });
      },
    },
    { services: ["s"], settings: { concurrency: [] } },
  );
  expect(numbers.notes).toContainEqual("s was at work for others before it began: 2 in flight, 0 waiting.");
  expect(numbers.notes).toContainEqual(expect.stringMatching(/^About \d+ requests of others/));
});

test("one completion is one that says something and tells who said it", async () => {
  await using server = await startRecording();
  const one = await withClient(server.origin, (client) =>
    oneCompletion(client, { model: "m", task: "text" }, NOBODY),
  );
  expect(one).toMatchObject({ finish: "length", completionTokens: 96 });
  await using mute = await startRecording({
    instead: (_, __, response) => {
      const end = { choices: [{ delta: {}, finish_reason: "stop" }] };
      response.writeHead(200).end(`data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`);
      return true;
    },
  });
  await expect(
    withClient(mute.origin, (client) => oneCompletion(client, { model: "m", task: "text" }, NOBODY)),
  ).rejects.toMatchObject({ code: "acceptance.bad-answer" });
});
