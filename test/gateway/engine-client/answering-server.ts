import type { Server, Socket } from "node:net";
import { createServer } from "node:net";

import type { LocalAddress } from "../../../src/core/index.ts";

const END = Buffer.from("\r\n\r\n");

/** What was asked: a request's head and body, and which connection it came on, counted from 0. */
export interface Asked {
  readonly head: string;
  readonly body: Buffer;
  readonly connection: number;
}

/** A server that reads requests with a content-length, and answers with whatever bytes a test writes on the socket. */
export class AnsweringServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Connections that clients opened, and those that are open. */
  connections = 0;
  readonly open = new Set<Socket>();
  address: LocalAddress = { kind: "tcp", host: "127.0.0.1", port: 0 };
  answer: (socket: Socket, asked: Asked) => void;
  readonly #server: Server;

  private constructor(answer: (socket: Socket, asked: Asked) => void) {
    this.answer = answer;
    this.#server = createServer({ noDelay: true }, (socket) => this.#connected(socket));
  }

  /** Listens on a free loopback port, or on a socket file. */
  static async start(
    answer: (socket: Socket, asked: Asked) => void,
    path?: string,
  ): Promise<AnsweringServer> {
    const server = new AnsweringServer(answer);
    await new Promise<void>((resolve) => {
      if (path === undefined) server.#server.listen(0, "127.0.0.1", resolve);
      else server.#server.listen(path, resolve);
    });
    server.address =
      path === undefined
        ? { kind: "tcp", host: "127.0.0.1", port: portOf(server.#server) }
        : { kind: "unix", path };
    return server;
  }

  #connected(socket: Socket): void {
    const connection = this.connections++;
    this.open.add(socket);
    let got: Buffer = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("close", () => this.open.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      const head = got.indexOf(END);
      if (head < 0) return;
      const text = got.toString("latin1", 0, head + 4);
      const end = head + 4 + Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      if (got.length < end) return;
      const asked = { head: text, body: got.subarray(head + 4, end), connection };
      got = got.subarray(end);
      this.asked.push(asked);
      this.answer(socket, asked);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The port that a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  return address.port;
}
