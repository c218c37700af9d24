import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Pool } from "undici";

import { SseReader } from "../../src/dialects/index.ts";
import type { JsonObject } from "../../src/dialects/dialect.ts";
import type { AskInside } from "../../src/gateway/inside-call.ts";
import { objectsIn } from "./json-objects.ts";
import type { ScriptedRound } from "./scripted-round.ts";

const ENGINE = fileURLToPath(new URL("scripted-engine.ts", import.meta.url));

/** A scripted engine in a process of its own, and the way to ask it as the gateway asks itself. */
export class ScriptedModel implements AsyncDisposable {
  /** Where it is reached without a gateway, without `/v1`. */
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #pool: Pool;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
    this.#pool = new Pool(this.url);
  }

  static async start(): Promise<ScriptedModel> {
    const child = spawn(process.execPath, [ENGINE], { stdio: ["pipe", "pipe", "inherit"] });
    const [line]: unknown[] = await once(child.stdout, "data");
    return new ScriptedModel(child, Number(String(line).split(" ")[1]));
  }

  async play(...script: readonly ScriptedRound[]): Promise<void> {
    await this.#json("PUT", "/script", JSON.stringify(script));
  }

  /** The bodies that it was asked with since the script began. */
  async seen(): Promise<readonly JsonObject[]> {
    return objectsIn((await this.#json("GET", "/seen"))["seen"]);
  }

  /** Answers that were ended by who asked. */
  async aborted(): Promise<unknown> {
    return (await this.#json("GET", "/seen"))["aborted"];
  }

  readonly ask: AskInside = async ({ path, body, signal, onEvent }) => {
    const answer = await this.#pool.request({ path, method: "POST", body: JSON.stringify(body), signal });
    const headers = { "content-type": String(answer.headers["content-type"]) };
    if (onEvent === undefined || answer.statusCode >= 400) {
      const whole = Buffer.from(await answer.body.arrayBuffer());
      return { status: answer.statusCode, headers, body: whole };
    }
    const reader = new SseReader();
    for await (const chunk of answer.body) {
      for (const event of reader.push(Buffer.from(chunk))) onEvent(event.data, event.event);
    }
    return { status: answer.statusCode, headers, body: Buffer.alloc(0) };
  };

  async #json(method: "GET" | "PUT", path: string, body?: string): Promise<Record<string, unknown>> {
    const answer = await this.#pool.request({ path, method, ...(body === undefined ? {} : { body }) });
    return JSON.parse(await answer.body.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
