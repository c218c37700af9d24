import type { Readable, Writable } from "node:stream";

import {
  isSpecType,
  type JSONRPCMessage,
  type MessageExtraInfo,
  type RequestId,
  type Transport,
} from "@modelcontextprotocol/server";

import { errorText, isAnswer, RPC } from "./json-rpc.ts";
import { parseBody } from "./parse-body.ts";

/** Bytes that may wait for a client that does not read, before nothing more is read of it. */
const BEHIND = 1024 * 1024;
/** How long answers to what was asked before the input ended may take, in milliseconds. */
const GRACE_MS = 500;
/** How long a client may take to read the last of the output, in milliseconds. */
const FLUSH_MS = 2000;

export interface StdioWireOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Bytes of one message, in either direction. */
  readonly maxMessage: number;
  readonly log: (line: string) => void;
  /** Sees every message before it is handled. */
  readonly onReceived: (message: JSONRPCMessage) => void;
  /** Called once, when it has ended. */
  readonly onClosed: () => void;
}

/** Lines of JSON over two streams. Nothing but messages is written, and none that the client could not take. */
export class StdioWire implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  readonly #options: StdioWireOptions;
  /** Methods of requests that are not answered. */
  readonly #running = new Map<RequestId, string>();
  #line: Buffer[] = [];
  #length = 0;
  #ending: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: StdioWireOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    const { input, output } = this.#options;
    input.on("data", this.#read);
    input.once("end", this.#end);
    input.once("close", this.#end);
    input.on("error", this.#end);
    output.on("error", this.#broken);
    output.once("close", this.#broken);
    if (input.readableEnded || input.destroyed) setImmediate(this.#end);
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { input, output, maxMessage } = this.#options;
    if (this.#closed || output.destroyed) return Promise.resolve();
    let text = JSON.stringify(message);
    if (isAnswer(message)) {
      const method = this.#running.get(message.id);
      this.#running.delete(message.id);
      const bytes = Buffer.byteLength(text);
      if (bytes >= maxMessage) text = tooLarge(message, method, bytes, maxMessage);
    } else if (Buffer.byteLength(text) >= maxMessage) {
      this.#options.log(
        `MCP: a ${"method" in message ? message.method : "message"} of more than ${maxMessage} bytes is left out`,
      );
      return Promise.resolve();
    }
    output.write(`${text}\n`);
    if (output.writableLength > BEHIND && !input.isPaused()) {
      input.pause();
      output.once("drain", () => input.resume());
    }
    if (this.#ending !== undefined && this.#running.size === 0) void this.close();
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    clearTimeout(this.#ending);
    const { input, output } = this.#options;
    input.off("data", this.#read);
    input.off("end", this.#end);
    input.off("close", this.#end);
    input.pause();
    output.off("close", this.#broken);
    this.#line = [];
    this.#running.clear();
    this.onclose?.();
    this.#options.onClosed();
    return Promise.resolve();
  }

  /** Resolves when the client has taken all that was written, or will not. */
  async flushed(): Promise<void> {
    const { input, output } = this.#options;
    if (output.writableLength > 0 && !output.destroyed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          output.off("drain", check).off("close", done);
          resolve();
        };
        const check = (): void => {
          if (output.writableLength === 0) done();
        };
        const timer = setTimeout(done, FLUSH_MS);
        output.on("drain", check).once("close", done);
        output.write("", check);
      });
    }
    input.off("error", this.#end);
    output.off("error", this.#broken);
  }

  readonly #read = (chunk: Buffer | string): void => {
    let rest = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (let at = rest.indexOf(10); at !== -1 && !this.#closed; at = rest.indexOf(10)) {
      this.#keep(rest.subarray(0, at));
      rest = rest.subarray(at + 1);
      this.#take();
    }
    this.#keep(rest);
  };

  /** Keeps part of a line; of one that is too long only how long it is. */
  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#length > this.#options.maxMessage) this.#line = [];
    else this.#line.push(part);
  }

  #take(): void {
    const { maxMessage, log, output, onReceived } = this.#options;
    const line = Buffer.concat(this.#line);
    const length = this.#length;
    this.#line = [];
    this.#length = 0;
    if (length > maxMessage) {
      const message = `Invalid Request: the message has ${length} bytes, the bound is ${maxMessage}`;
      output.write(`${errorText({ status: 400, code: RPC.invalidRequest, message })}\n`);
      return;
    }
    if (line.toString("latin1").trim() === "") return;
    const parsed = parseBody(line, maxMessage);
    if (!parsed.ok || !isSpecType.JSONRPCMessage(parsed.value)) {
      // Clients' own logs stray here: no answer, since there is no id that one could have.
      log(
        `MCP: a line of ${length} bytes is no message: ${parsed.ok ? "not JSON-RPC" : parsed.refusal.message}`,
      );
      return;
    }
    const message = parsed.value;
    if ("method" in message && "id" in message) this.#running.set(message.id, message.method);
    else if ("method" in message && message.method === "notifications/cancelled") {
      const id = message.params?.["requestId"];
      if (typeof id === "string" || typeof id === "number") this.#running.delete(id);
    }
    onReceived(message);
    this.onmessage?.(message);
  }

  /** The client says nothing more: what it asked just now is answered, what takes longer is aborted. */
  readonly #end = (): void => {
    if (this.#closed || this.#ending !== undefined) return;
    if (this.#running.size === 0) void this.close();
    else this.#ending = setTimeout(() => void this.close(), GRACE_MS);
  };

  /** Nobody reads. */
  readonly #broken = (): void => void this.close();
}

/** What goes out instead of an answer that is too large for the client: for a tool a failure, so that the model reads why. */
function tooLarge(
  message: JSONRPCMessage & { readonly id: RequestId },
  method: string | undefined,
  bytes: number,
  bound: number,
): string {
  const why = `The answer has ${bytes} bytes, more than the ${bound} that this connection takes. Ask for less at once.`;
  if (method !== "tools/call" || !("result" in message)) {
    return errorText({ status: 200, code: RPC.internal, message: why, id: message.id });
  }
  const { resultType, _meta: meta } = message.result;
  return JSON.stringify({
    jsonrpc: "2.0",
    id: message.id,
    result: {
      ...(resultType === undefined ? {} : { resultType: "complete", _meta: meta }),
      content: [{ type: "text", text: why }],
      isError: true,
    },
  });
}
