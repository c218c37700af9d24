import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import type { EngineController } from "../../../src/gateway/http/engine-handler.ts";
import { until } from "../../fakes/gateway-under-test.ts";
import { AnsweringServer } from "./answering-server.ts";
import { ask, callOf, clientFor, HeardAnswer } from "./ask-engine.ts";

const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const WHOLE = `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`;

/** Does something as soon as it hears one thing. */
class Acting extends HeardAnswer {
  readonly #at: string;
  readonly #act: (controller: EngineController) => void;

  constructor(at: string, act: (controller: EngineController) => void) {
    super();
    this.#at = at;
    this.#act = act;
  }

  override onRequestStart(controller: EngineController): void {
    super.onRequestStart(controller);
    if (this.#at === "request") this.#act(controller);
  }

  override onResponseStart(
    controller: EngineController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    super.onResponseStart(controller, status, headers);
    if (this.#at === "start") this.#act(controller);
  }

  override onResponseData(controller: EngineController, chunk: Buffer): void {
    super.onResponseData(controller, chunk);
    if (this.#at === "data") this.#act(controller);
  }
}

it.each(["request", "start", "data"])(
  "aborted in the middle of `%s`, it is told once and nothing follows, and the connection is gone",
  async (at) => {
    await using server = await AnsweringServer.start((socket) => socket.write(WHOLE));
    const client = clientFor(server.address);
    const reason = new Error("not wanted");
    const heard = await ask(
      client,
      callOf(),
      new Acting(at, (controller) => {
        controller.abort(reason);
        controller.abort(new Error("again"));
      }),
    );
    expect(heard.error).toBe(reason);
    const order = ["request", "start", "data"];
    expect(heard.told).toEqual([...order.slice(0, order.indexOf(at) + 1), "error"]);
    await until(() => client.connections === 0 && server.open.size === 0);
    expect((await ask(client)).text).toBe("hello");
    await client.destroy();
  },
);

it.each(["start", "data"])("what a handler throws in `%s` ends its request and no other", async (at) => {
  await using server = await AnsweringServer.start((socket) => socket.write(WHOLE));
  const client = clientFor(server.address);
  const broken = new Error("it cannot read that");
  const heard = await ask(
    client,
    callOf(),
    new Acting(at, () => {
      throw broken;
    }),
  );
  expect([heard.error, heard.told.at(-1)]).toEqual([broken, "error"]);
  await until(() => client.connections === 0);
  expect((await ask(client)).text).toBe("hello");
  await client.destroy();
});

it("what a handler throws at the end is not lost, and leaves the connection in order", async () => {
  await using server = await AnsweringServer.start((socket) => socket.write(WHOLE));
  const client = clientFor(server.address);
  const thrown: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.once("uncaughtException", (error) => thrown.push(error));
  try {
    class Throws extends HeardAnswer {
      override onResponseEnd(): void {
        super.onResponseEnd();
        throw new Error("at the end");
      }
    }
    await ask(client, callOf(), new Throws());
    await until(() => thrown.length === 1);
  } finally {
    for (const other of others) process.on("uncaughtException", other);
  }
  expect(thrown).toEqual([new Error("at the end")]);
  expect((await ask(client)).text).toBe("hello");
  expect(server.connections).toBe(1);
  await client.destroy();
});

it("a client that goes is heard of by the engine at once, while it answers, is silent or is not connected yet", async () => {
  await using server = await AnsweringServer.start((socket, { body }) => {
    if (body.toString() === "answers") socket.write(`${CHUNKED}5\r\nhello\r\n`);
  });
  const client = clientFor(server.address);
  for (const state of ["answers", "is silent"]) {
    const heard = new HeardAnswer();
    client.dispatch(callOf(state), heard);
    const before = server.asked.length;
    await until(() => server.asked.length > before && (state === "is silent" || heard.told.includes("data")));
    const closed = new Promise<number>((resolve) => {
      for (const socket of server.open) socket.once("close", () => resolve(performance.now()));
    });
    const from = performance.now();
    heard.controller?.abort(new Error("gone"));
    expect(heard.told.at(-1)).toBe("error");
    // 50 ms are asked for; a loaded machine may take longer.
    expect((await closed) - from).toBeLessThan(500);
  }
  const early = new HeardAnswer();
  const before = server.asked.length;
  client.dispatch(callOf(), early);
  early.controller?.abort(new Error("gone"));
  await until(() => client.connections === 0 && server.open.size === 0);
  expect([early.told, server.asked.length]).toEqual([["request", "error"], before]);
  await client.destroy();
});

it("reins of an answer that has ended do nothing to the next one on its connection", async () => {
  await using server = await AnsweringServer.start((socket) => socket.write(WHOLE));
  const client = clientFor(server.address);
  const first = await ask(client);
  await sleep(5);
  const second = new HeardAnswer();
  client.dispatch(callOf(), second);
  first.controller?.pause();
  first.controller?.abort(new Error("late"));
  first.controller?.resume();
  await second.over;
  expect([second.text, first.told.at(-1), server.connections]).toEqual(["hello", "end", 1]);
  await client.destroy();
});

it.each(["request", "start", "data"])(
  "paused in `%s`, nothing is told until it is resumed, and the engine feels it",
  async (at) => {
    const large = Buffer.alloc(32_000_000, "x");
    const sockets: Socket[] = [];
    await using server = await AnsweringServer.start((socket) => {
      sockets.push(socket);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n`);
      socket.write(large);
    });
    const client = clientFor(server.address);
    const heard = new Acting(at, (controller) => controller.pause());
    client.dispatch(callOf(), heard);
    const { over } = heard;
    const told = (): number => heard.chunks.reduce((sum, { length }) => sum + length, 0);
    await until(() => sockets.length === 1 && heard.told.includes(at));
    await sleep(100);
    const before = told();
    expect(before).toBeLessThan(70_000);
    expect(sockets[0]?.writableLength).toBeGreaterThan(0);
    await sleep(50);
    expect(told()).toBe(before);
    // Each chunk pauses it again where that is what was asked for.
    while (!heard.told.includes("end")) {
      heard.controller?.resume();
      await new Promise(setImmediate);
    }
    await over;
    expect(heard.body.equals(large)).toBe(true);
    await client.destroy();
  },
);

it.each([
  ["as its connection closes", "HTTP/1.1 200 OK\r\n\r\nhello", true],
  ["with its last chunk", WHOLE, false],
])("paused and resumed, an answer that ends %s is whole", async (_how, answer, ends) => {
  await using server = await AnsweringServer.start((socket) => {
    if (ends) socket.end(answer);
    else socket.write(answer);
  });
  const client = clientFor(server.address);
  for (const at of ["start", "data"]) {
    const heard = new Acting(at, (controller) => {
      controller.pause();
      setTimeout(() => controller.resume(), 30);
    });
    await ask(client, callOf(), heard);
    expect([at, heard.text, heard.told]).toEqual([at, "hello", ["request", "start", "data", "end"]]);
    await sleep(5);
  }
  await client.destroy();
});

it("paused and resumed at once, it goes on", async () => {
  await using server = await AnsweringServer.start((socket) => {
    socket.write(`${CHUNKED}5\r\nhello\r\n`);
    setTimeout(() => socket.write("6\r\n world\r\n0\r\n\r\n"), 20);
  });
  const client = clientFor(server.address);
  const heard = new Acting("data", (controller) => {
    controller.pause();
    controller.resume();
  });
  expect((await ask(client, callOf(), heard)).text).toBe("hello world");
  await client.destroy();
});
