import type { ClientRequest, RequestOptions } from "node:http";
import { Agent, request } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { Address } from "../core/index.ts";
import { formatDuration, pathAt } from "../core/index.ts";
import type { EngineRequest } from "../engines/engine.ts";

export interface EngineAnswer {
  readonly status: number;
  /** Cut at a few megabytes. */
  readonly body: string;
}

/** Characters kept of an answer: metrics of an engine with many histograms are some hundred thousand. */
const BODY_LIMIT = 4 * 2 ** 20;
/** Health, figures and a request for a token may be under way at once. */
const CONNECTIONS = 3;

/** Omni's own line to one engine, for probes. Connections are kept between probes. */
export class EngineClient {
  readonly #address: Address;
  readonly #agent: Agent;
  readonly #secure: boolean;

  constructor(address: Address) {
    this.#address = address;
    this.#secure = address.kind === "url" && address.origin.startsWith("https:");
    const keep = { keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: 1 };
    this.#agent = this.#secure ? new SecureAgent(keep) : new Agent(keep);
  }

  /** One exchange within `timeout` ms. Rejects with the reason in words; never with anything secret. */
  async ask(what: EngineRequest, timeout: number, signal: AbortSignal): Promise<EngineAnswer> {
    const end = performance.now() + timeout;
    try {
      return await this.#exchange(what, timeout, signal);
    } catch (error) {
      // An engine that closed the kept connection just now was not asked at all.
      if (!(error instanceof StaleConnection)) throw error;
      return this.#exchange(what, Math.max(1, end - performance.now()), signal);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange(what: EngineRequest, timeout: number, signal: AbortSignal): Promise<EngineAnswer> {
    return new Promise((resolve, reject) => {
      const call = this.#request(what, signal);
      // A limit on the whole exchange: the timeout of the request itself counts silence of the socket only.
      const limit = setTimeout(
        () => call.destroy(new Error(`no answer within ${formatDuration(timeout)}`)),
        timeout,
      );
      let begun = false;
      const fail = (error: Error): void => {
        clearTimeout(limit);
        const stale = call.reusedSocket && !begun && "code" in error && error.code === "ECONNRESET";
        reject(stale ? new StaleConnection(error.message) : error);
      };
      call.on("error", fail);
      call.on("response", (response) => {
        begun = true;
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          if (body.length < BODY_LIMIT) body += text;
        });
        response.on("error", fail);
        response.on("end", () => {
          clearTimeout(limit);
          resolve({ status: response.statusCode ?? 0, body });
        });
      });
      call.end(what.body);
    });
  }

  #request({ method, path, body, port, portOffset = 0 }: EngineRequest, signal: AbortSignal): ClientRequest {
    const address = this.#address;
    const options: RequestOptions = {
      agent: this.#agent,
      method,
      path: pathAt(address, path),
      signal,
      headers: {
        ...(address.kind === "url" ? address.headers : {}),
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
    };
    switch (address.kind) {
      case "unix":
        return request({ ...options, socketPath: address.path });
      case "tcp":
        return request({ ...options, host: address.host, port: port ?? address.port + portOffset });
      case "url":
        return (this.#secure ? secureRequest : request)(new URL(address.origin), options);
    }
  }
}

/** A kept connection that the engine had closed before the request went out. */
class StaleConnection extends Error {}
