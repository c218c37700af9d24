import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** A client that writes bytes as they are and keeps what comes back. */
export class RawClient {
  readonly socket: Socket;
  /** All that came, one character a byte. */
  text = "";
  ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => (this.text += bytes.toString("latin1")));
    socket.on("end", () => {
      this.ended = true;
      socket.end();
    });
  }

  static async open(server: Server, secure = false): Promise<RawClient> {
    const options = { port: portOf(server), host: "127.0.0.1", allowHalfOpen: true };
    const socket = secure ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
    await once(socket, secure ? "secureConnect" : "connect");
    return new RawClient(socket);
  }

  write(text: string | Buffer): void {
    if (typeof text === "string") this.socket.write(text, "latin1");
    else this.socket.write(text);
  }

  async closed(): Promise<string> {
    if (!this.socket.closed) await new Promise<void>((resolve) => this.socket.once("close", () => resolve()));
    return this.text;
  }
}

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** What came, but for the time of day. */
export const undated = (text: string): string => text.replaceAll(/^Date: .*\r$/gm, "Date: x\r");

export const post = (path: string, body = "", more = "", length = body.length): string =>
  `POST ${path} HTTP/1.1\r\nhost: h\r\nContent-Length: ${length}\r\n${more}\r\n${body}`;
