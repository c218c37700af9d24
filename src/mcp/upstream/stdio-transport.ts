import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";

import { formatBytes, OmniError } from "../../core/index.ts";
import { childEnvironment } from "./child-environment.ts";
import { groupGuard } from "./group-guard.ts";
import { isMessage } from "./json-message.ts";
import { MessageLines } from "./message-lines.ts";
import { OrderedDelivery } from "./ordered-delivery.ts";
import { endGroup } from "./process-group.ts";
import { StderrTail } from "./stderr-tail.ts";

/** ms that a server has to end by itself when its standard input ends, and then between SIGTERM and SIGKILL. */
const END_GRACE = 300;
const KILL_GRACE = 2000;
/** ms after the child's end in which its last words may still be read. */
const LAST_WORDS = 200;
/** Bytes of what is no message, between two messages: more is a server that does not speak MCP there. */
const MOST_GARBAGE = 1024 * 1024;

export interface ChildOptions {
  readonly command: readonly string[];
  readonly directory?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Bytes of one message, and of what may wait for a child that does not read. */
  readonly maxMessage: number;
}

function messageOf(line: string): JSONRPCMessage | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Resolves with what is waited for, or after `limit` ms. */
async function within(limit: number, what: Promise<unknown>): Promise<void> {
  const left = new AbortController();
  await Promise.race([what, sleep(limit, undefined, { signal: left.signal }).catch(() => {})]);
  left.abort();
}

/**
 * MCP over the standard input and output of a child process that leads a process group of its own. Unlike the SDK's it
 * passes on nothing of this process's environment but PATH and HOME, ends the whole group, bounds what is read, and does
 * without a second process for finding out the protocol version.
 */
export class StdioTransport implements Transport {
  onclose: (() => void) | undefined;
  onerror: ((error: Error) => void) | undefined;
  onmessage: Transport["onmessage"];
  /** Read by the SDK: a transport with `stderr` and `pid` is one of stdio, whose silence on a probe means the legacy era. */
  readonly stderr = null;
  readonly #options: ChildOptions;
  readonly #delivery = new OrderedDelivery((message) => this.onmessage?.(message));
  readonly #tail = new StderrTail();
  readonly #lines: MessageLines;
  #child: ChildProcess | undefined;
  #garbage = 0;
  #reason: string | undefined;
  #ended: Promise<void> | undefined;
  #closed = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#lines = new MessageLines(options.maxMessage);
  }

  get pid(): number | null {
    return this.#closed ? null : (this.#child?.pid ?? null);
  }

  /** Why it ended, with the last lines of its standard error, not yet cleaned of secrets; `undefined` while nothing is known. */
  get reason(): string | undefined {
    const words = this.#tail.words();
    if (words === "") return this.#reason;
    return `${this.#reason ?? "it runs"}; its last words: ${words}`;
  }

  async start(): Promise<void> {
    const { command, directory, environment } = this.#options;
    const [program = "", ...words] = command;
    const child = spawn(program, words, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      windowsHide: true,
      env: childEnvironment(environment),
      ...(directory === undefined ? {} : { cwd: directory }),
    });
    this.#child = child;
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    child.stdout.on("error", () => {});
    child.stderr.on("error", () => {});
    child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    child.stderr.on("data", (chunk: Buffer) => this.#tail.push(chunk));
    child.once("exit", (code, signal) => {
      this.#reason ??= signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
      void this.#end();
    });
    try {
      await once(child, "spawn");
    } catch (error) {
      this.#reason = `${program} cannot be started: ${String(error)}`;
      this.#finish();
      throw new OmniError("mcp.unreachable", this.#reason, { cause: error });
    }
    if (child.pid !== undefined) groupGuard.watch(child.pid);
  }

  #read(chunk: Buffer): void {
    const whole = this.#lines.push(chunk, (line) => this.#line(line));
    if (!whole) {
      this.#give(`it sent a message of more than ${formatBytes(this.#options.maxMessage)}`);
    } else if (this.#garbage > MOST_GARBAGE) {
      this.#give(`it wrote more than ${formatBytes(MOST_GARBAGE)} to its standard output that is no MCP`);
    }
  }

  #line(line: string): void {
    if (this.#closed || line === "") return;
    const message = messageOf(line);
    if (message === undefined) {
      // Servers print where they should not; what they print may hold secrets and is not kept.
      this.#garbage += line.length + 1;
      return;
    }
    this.#garbage = 0;
    this.#delivery.push(message);
  }

  /** Ends it for a reason of this side. */
  #give(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#reason = reason;
    this.#child?.stdout?.removeAllListeners("data").resume();
    void this.#end();
    this.#finish();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (this.#closed || stdin === null || stdin === undefined || !stdin.writable) {
      throw new OmniError("mcp.unreachable", this.#reason ?? "it has ended");
    }
    if (stdin.writableLength > this.#options.maxMessage) {
      throw new OmniError("mcp.unreachable", "it does not read what it is sent");
    }
    stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves when nothing of its process group runs any more. */
  async close(): Promise<void> {
    if (this.#child?.pid === undefined) return;
    this.#reason ??= "it was ended by this node";
    await this.#end();
  }

  #end(): Promise<void> {
    this.#ended ??= this.#endOnce();
    return this.#ended;
  }

  async #endOnce(): Promise<void> {
    const child = this.#child;
    const pid = child?.pid;
    if (child === undefined || pid === undefined) return;
    const closed = once(child, "close");
    if (child.exitCode === null && child.signalCode === null) {
      child.stdin?.end();
      await within(END_GRACE, once(child, "exit"));
    }
    const ended = endGroup(pid, KILL_GRACE);
    // What left the group may hold the pipes for ever.
    await within(child.exitCode === null && child.signalCode === null ? KILL_GRACE : LAST_WORDS, closed);
    this.#finish();
    await ended;
    groupGuard.dismiss(pid);
    child.stdin?.destroy();
    child.stdout?.destroy();
    child.stderr?.destroy();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }
}
