import { ServerResponse } from "node:http";

/**
 * An answer that can be broken off also while it waits behind another one of its connection (HTTP pipelining): node:http
 * would forget it then and leave the client waiting, half an answer in hand.
 */
export class BreakableResponse extends ServerResponse {
  override destroy(error?: Error): this {
    if (this.socket === null && !this.writableFinished) this.req.socket.destroy();
    return super.destroy(error);
  }
}
