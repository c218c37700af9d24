import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";

/** Takes one connection; must end it. */
export type Carrier = (socket: Socket) => void;

/** A port of this machine through which an engine in the cluster is reached; refuses while there is none. */
export class LocalListener {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #carrier: Carrier | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      if (this.#carrier === undefined) socket.destroy();
      else this.#carrier(socket);
    });
  }

  /** Listens on the loopback: on `port` where it is free, and on any free one otherwise. */
  static async open(port: number | undefined): Promise<LocalListener> {
    const server = createServer({ noDelay: true });
    await listen(server, port ?? 0).catch(() => listen(server, 0));
    return new LocalListener(server, portOf(server.address()));
  }

  carry(carrier: Carrier): void {
    this.#carrier = carrier;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === "object" && address !== null ? address.port : 0;

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
