/**
 * The clients of `bench/mcp.ts`, in a process of their own: so many callers, each with a session of its own that is open
 * before the first of them calls, each call with arguments of its own, each answer compared with what was asked. They call
 * as fast as answers come, or together at a fixed rate.
 */
import { Pool } from "undici";
import { z } from "zod";

export interface McpLoad {
  /** Where the server is, with its path. */
  readonly url: string;
  readonly era: "legacy" | "modern";
  /** Tools `tool_0` and so on, called in turn. */
  readonly tools: number;
  readonly callers: number;
  /** Milliseconds. */
  readonly time: number;
  /** Calls a second of all callers together; as fast as answers come when absent. */
  readonly rate?: number;
}

/** Times are milliseconds. */
export interface McpLoadResult {
  readonly calls: number;
  readonly failures: number;
  /** What was wrong with the first failure. */
  readonly failure?: string;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

const VERSION = { legacy: "2025-11-25", modern: "2026-07-28" } as const;
const CLIENT = { name: "bench-mcp", version: "1.0.0" };
const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": VERSION.modern,
  "io.modelcontextprotocol/clientInfo": CLIENT,
  "io.modelcontextprotocol/clientCapabilities": {},
};

const answerSchema = z.object({
  id: z.number(),
  result: z.object({ content: z.array(z.object({ text: z.string() })) }).optional(),
  error: z.object({ message: z.string() }).optional(),
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One caller: its connection, its session where the era has sessions, and the number of its next request. */
class Caller {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #era: "legacy" | "modern";
  readonly #name: number;
  #session: Readonly<Record<string, string>> = {};
  #next = 1;

  constructor({ url, era }: McpLoad, name: number) {
    const { origin, pathname } = new URL(url);
    this.#pool = new Pool(origin, { connections: 1 });
    this.#path = pathname;
    this.#era = era;
    this.#name = name;
  }

  async open(): Promise<void> {
    if (this.#era === "modern") return;
    const params = { protocolVersion: VERSION.legacy, capabilities: {}, clientInfo: CLIENT };
    const { status, headers, body } = await this.#post({ id: 0, method: "initialize", params }, {});
    if (status !== 200) throw new Error(`initialize was answered with ${status}: ${body.slice(0, 200)}`);
    const session = headers["mcp-session-id"];
    this.#session = typeof session === "string" ? { "mcp-session-id": session } : {};
    await this.#post({ method: "notifications/initialized" }, this.#session);
  }

  /** Calls a tool and compares its answer; returns what is wrong with it, if anything. */
  async call(tool: string): Promise<string | undefined> {
    const id = this.#next++;
    const text = `caller ${this.#name}, call ${id}`;
    const modern = this.#era === "modern";
    const params = { name: tool, arguments: { text }, ...(modern ? { _meta: ENVELOPE } : {}) };
    const headers = modern ? { "mcp-method": "tools/call", "mcp-name": tool } : this.#session;
    const { status, headers: got, body } = await this.#post({ id, method: "tools/call", params }, headers);
    if (status !== 200) return `HTTP ${status}: ${body.slice(0, 200)}`;
    const json = String(got["content-type"]).startsWith("text/event-stream") ? lastData(body) : body;
    const answer = answerSchema.parse(JSON.parse(json));
    if (answer.error !== undefined) return answer.error.message;
    return answer.id === id && answer.result?.content[0]?.text === text
      ? undefined
      : `another answer: ${json}`;
  }

  async close(): Promise<void> {
    if (this.#era === "legacy") {
      const headers = { ...this.#session, "mcp-protocol-version": VERSION.legacy };
      const { body } = await this.#pool.request({ method: "DELETE", path: this.#path, headers });
      await body.dump();
    }
    await this.#pool.close();
  }

  async #post(message: object, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const {
      statusCode,
      headers: got,
      body,
    } = await this.#pool.request({
      method: "POST",
      path: this.#path,
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": VERSION[this.#era],
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
    return { status: statusCode, headers: got, body: await body.text() };
  }
}

/** The data of the last event of a stream, which is the answer. */
function lastData(stream: string): string {
  const at = stream.lastIndexOf("data: ");
  return stream.slice(at + 6, stream.indexOf("\n", at));
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;

async function run(load: McpLoad): Promise<McpLoadResult> {
  const callers = Array.from({ length: load.callers }, (_, name) => new Caller(load, name));
  await Promise.all(callers.map((caller) => caller.open()));
  const times: number[] = [];
  const failures: string[] = [];
  const start = performance.now();
  let issued = 0;
  const work = async (caller: Caller): Promise<void> => {
    for (;;) {
      const at = issued++;
      const due = load.rate === undefined ? start : start + (at * 1000) / load.rate;
      let since = performance.now();
      if (Math.max(due, since) - start >= load.time) return;
      // A call that is due while everybody is busy has waited since then; a timer that rings late is nobody's fault.
      if (due > since) {
        await new Promise((resolve) => setTimeout(resolve, due - since));
        since = performance.now();
      } else if (load.rate !== undefined) since = due;
      const wrong = await caller.call(`tool_${at % load.tools}`);
      if (wrong === undefined) times.push(performance.now() - since);
      else failures.push(wrong);
    }
  };
  await Promise.all(callers.map(work));
  const seconds = (performance.now() - start) / 1000;
  await Promise.all(callers.map((caller) => caller.close()));
  times.sort((a, b) => a - b);
  return {
    calls: times.length,
    failures: failures.length,
    ...(failures[0] === undefined ? {} : { failure: failures[0] }),
    seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

process.on("message", (load: McpLoad) => {
  run(load).then(
    (result) => process.send?.(result),
    (thrown: unknown) =>
      process.send?.({ calls: 0, failures: 1, failure: String(thrown), seconds: 0, p50: 0, p99: 0 }),
  );
});
process.once("disconnect", () => process.exit());
