import type { IncomingMessage } from "node:http";

import type { RequestBody } from "./http/request-head.ts";

const LINGER_TIME = 2_000;

/** The body of a request as node:http reads it. */
export class NodeBody implements RequestBody {
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  read(limit: number, then: (body: Buffer) => void, tooLarge: () => void): void {
    const req = this.#req;
    if (Number(req.headers["content-length"] ?? 0) > limit) {
      tooLarge();
      return;
    }
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) {
        req.off("data", onData).off("end", onEnd);
        first = rest = undefined;
        tooLarge();
      } else if (first === undefined) first = chunk;
      else (rest ??= [first]).push(chunk);
    };
    const onEnd = (): void =>
      then(rest === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest, size));
    req.on("data", onData).on("end", onEnd);
  }

  discard(most: number, done: () => void): void {
    const req = this.#req;
    let left = most;
    const end = (): void => {
      clearTimeout(timer);
      req.socket.destroy();
    };
    const timer = setTimeout(end, LINGER_TIME);
    req.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) end();
    });
    req.once("end", () => {
      clearTimeout(timer);
      done();
    });
    req.once("close", () => clearTimeout(timer));
  }
}
