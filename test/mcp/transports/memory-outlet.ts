import { EventEmitter } from "node:events";

import type { McpOutlet } from "../../../src/mcp/transports/mcp-request.ts";

/** An answer that goes nowhere: its text is given to `done` when it is whole. */
export class MemoryOutlet extends EventEmitter implements McpOutlet {
  headersSent = false;
  destroyed = false;
  writableEnded = false;
  readonly writableLength = 0;
  status = 0;
  headers: readonly string[] = [];
  readonly #done: (text: string) => void;

  constructor(done: (text: string) => void) {
    super();
    this.#done = done;
  }

  /** The value of a header that the answer has. */
  header(name: string): string {
    return this.headers[this.headers.indexOf(name) + 1] ?? "";
  }

  writeHead(status: number, headers: string[]): void {
    this.status = status;
    this.headers = headers;
    this.headersSent = true;
  }

  write(): boolean {
    return true;
  }

  end(bytes?: Buffer | string): void {
    this.writableEnded = true;
    this.#done(bytes === undefined ? "" : bytes.toString());
    this.emit("close");
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}
