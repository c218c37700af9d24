import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";

import type { Shape } from "./engine-answers.ts";
import type { EngineScript, FuzzCase } from "./fuzz-case.ts";
import { divided, requestIdOf, scriptKey, scriptWire } from "./fuzz-case.ts";
import { FUZZED_SERVICES } from "./fuzzed-node.ts";
import { jsonBytes } from "./mutate.ts";
import { makeScript } from "./make-script.ts";
import { wholeAnswer, streamBytes } from "./engine-answers.ts";
import { Random } from "./random.ts";

/** What an engine did for one try of a case. */
export interface Played {
  readonly service: string;
  readonly key: string;
  readonly script: EngineScript;
  /** The bytes that it sent, latin1. */
  readonly sent: string;
  readonly asked: string;
}

interface Running {
  readonly fuzzed: FuzzCase;
  readonly played: Played[];
  readonly attempts: Map<string, number>;
}

const shapeOf = (path: string): Shape => {
  if (path.includes("/generate")) return "triton";
  if (/count_tokens|tokenize|apply-template/.test(path)) return "count";
  if (path.endsWith("/chat/completions")) return "chat";
  if (path.endsWith("/completions")) return "completions";
  if (path.endsWith("/messages")) return "messages";
  if (path.endsWith("rerank")) return "rerank";
  if (path.endsWith("score")) return "score";
  return "embeddings";
};

/** Engines on bare sockets that answer each try as its case says: any bytes, cut anywhere, or nothing any more. */
export class ScriptedEngines {
  readonly ports: Record<string, number> = {};
  readonly #seed: number;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #running = new Map<string, Running>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  async open(): Promise<void> {
    for (const { name } of FUZZED_SERVICES) {
      const server = createServer({ noDelay: true }, (socket) => this.#serve(name, socket)).listen(
        0,
        "127.0.0.1",
      );
      await once(server, "listening");
      const address = server.address();
      this.ports[name] = typeof address === "object" && address !== null ? address.port : 0;
      this.#servers.push(server);
    }
  }

  /** Answers for a case from now on; what was played is told by the returned function, which also ends it. */
  begin(fuzzed: FuzzCase): () => readonly Played[] {
    const running: Running = { fuzzed, played: [], attempts: new Map() };
    const ids = fuzzed.requests.map((_, k) => requestIdOf(fuzzed.index, k));
    for (const id of ids) this.#running.set(id, running);
    return () => {
      for (const id of ids) this.#running.delete(id);
      return running.played;
    };
  }

  /** Breaks every connection: what the gateway still holds of them is its own fault. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.hangUp();
    for (const server of this.#servers) server.close();
  }

  #serve(service: string, socket: Socket): void {
    this.#sockets.add(socket);
    let text = "";
    socket
      .setEncoding("latin1")
      .on("error", () => socket.destroy())
      .on("close", () => this.#sockets.delete(socket))
      .on("data", (chunk: string) => {
        text += chunk;
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = text.slice(0, end);
        const isChunked = /\r\ntransfer-encoding:/i.test(head);
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (isChunked ? !text.endsWith("0\r\n\r\n") : text.length < end + 4 + length) return;
        const asked = text;
        text = "";
        void this.#answer(service, socket, head, asked);
      });
  }

  async #answer(service: string, socket: Socket, head: string, asked: string): Promise<void> {
    const path = head.split(" ", 2)[1]?.split("?")[0] ?? "";
    const id = /\r\nx-request-id: (\S+)/i.exec(head)?.[1] ?? "";
    const shape = shapeOf(path);
    const stream = path.endsWith("_stream") || /"stream"\s*:\s*true/.test(asked);
    const running = this.#running.get(id);
    const script = running === undefined ? usual(shape, stream) : this.#next(running, id, shape, stream);
    const wire = scriptWire(script.script);
    const sent = wire.slice(0, script.script.cut ?? wire.length);
    running?.played.push({ ...script, service, sent, asked });
    for (const part of divided(sent, script.script.places)) {
      if (socket.destroyed) return;
      socket.write(part, "latin1");
      if (script.script.places.length > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    if (script.script.leave === "end") socket.end();
    else if (script.script.leave === "reset") socket.resetAndDestroy();
  }

  #next(
    { fuzzed, attempts }: Running,
    id: string,
    shape: Shape,
    stream: boolean,
  ): { key: string; script: EngineScript } {
    const attempt = attempts.get(id) ?? 0;
    if (shape !== "count") attempts.set(id, attempt + 1);
    const key = scriptKey(id, attempt, shape, stream);
    return {
      key,
      script: fuzzed.scripts[key] ?? makeScript(this.#seed, fuzzed.index, attempt, shape, stream),
    };
  }
}

/** A good answer, for what no case asked. */
function usual(shape: Shape, stream: boolean): { key: string; script: EngineScript } {
  const random = new Random(1);
  return {
    key: "",
    script: {
      status: "200 OK",
      headers: [["content-type", stream ? "text/event-stream" : "application/json"]],
      body: stream ? streamBytes(random, shape, false) : jsonBytes(wholeAnswer(random, shape)),
      framing: "length",
      places: [],
      leave: "keep",
    },
  };
}
