import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";

import type { Call } from "../../../gateway/call.ts";
import { refuseUnread } from "../../../gateway/lingering-close.ts";
import { tooLarge as tooLargeBody } from "../../../gateway/proxy-endpoint.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import { sendError } from "../../../gateway/wire-error.ts";
import type { Caller } from "../../../keys/index.ts";
import { INSIDE_CALLER, INSIDE_ID, INSIDE_TOKEN, writeCaller } from "./inside-head.ts";
import type { LedPath, WorkerInside } from "../gateway-worker-settings.ts";
import type { InsideAddress } from "./inside-server.ts";
import { tooLarge } from "./mcp-surface.ts";

/** What of a request's head the node's own process has to see. */
const PASSED =
  /^(?:accept|accept-encoding|accept-language|content-type|if-none-match|last-event-id|mcp-.+|traceparent|tracestate|baggage|user-agent|origin)$/;
/** What of an answer's head is the connection's and none of the client's. */
const KEPT = /^(?:connection|keep-alive|transfer-encoding|date)$/;

export interface InsideCall {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  /** Absent where nobody was let in yet. */
  readonly caller?: Caller;
  readonly id: string;
  readonly body?: Buffer;
  readonly signal?: AbortSignal;
}

/** What lives in the node's own process, as a worker of its gateway reaches it. */
export class InsideClient {
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 32 });
  readonly #address: InsideAddress;

  constructor(address: InsideAddress) {
    this.#address = address;
  }

  /** Rejects when the node does not answer, or the signal aborts. */
  ask({ method, url, headers = {}, caller, id, body, signal }: InsideCall): Promise<IncomingMessage> {
    const { socket, token } = this.#address;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request(
      {
        agent: this.#agent,
        socketPath: socket,
        method,
        path: url,
        headers: {
          ...headers,
          [INSIDE_TOKEN]: token,
          ...(caller === undefined ? {} : { [INSIDE_CALLER]: writeCaller(caller) }),
          [INSIDE_ID]: id,
          ...(body === undefined ? {} : { "content-length": String(body.length) }),
        },
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    sent.once("error", reject);
    sent.end(body);
    return promise;
  }

  /** The paths that are served there; their answers travel as they come. */
  endpoints({ paths, bodyLimit }: WorkerInside): Readonly<Record<string, Endpoint>> {
    return Object.fromEntries(paths.map((led) => [led.path, this.#endpoint(led, bodyLimit)]));
  }

  close(): void {
    this.#agent.destroy();
  }

  #endpoint({ path, methods, ...who }: LedPath, bodyLimit: number): Endpoint {
    const isApi = path.startsWith("/api/");
    const bare = (call: Call): void => void this.#relay(call, undefined);
    const whole = (call: Call): void =>
      call.body.read(
        bodyLimit,
        (body) => void this.#relay(call, body),
        // MCP has words of its own for it.
        () => (isApi ? refuseUnread(call, tooLargeBody(bodyLimit), bodyLimit) : tooLarge(call, bodyLimit)),
      );
    return {
      ...who,
      ...(methods.includes("GET") ? { GET: bare } : {}),
      ...(methods.includes("DELETE") ? { DELETE: bare } : {}),
      ...(methods.includes("POST") ? { whole } : {}),
    };
  }

  async #relay(call: Call, body: Buffer | undefined): Promise<void> {
    const { req, res, caller } = call;
    const { authorization } = req.headers;
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    try {
      const answer = await this.ask({
        method: req.method ?? "GET",
        url: req.url ?? "/",
        headers: {
          ...Object.fromEntries(Object.entries(req.headers).filter(([name]) => PASSED.test(name))),
          // Who shows no key of the node may show a token, which is looked at there.
          ...(caller === undefined && authorization !== undefined ? { authorization } : {}),
        },
        ...(caller === undefined ? {} : { caller }),
        id: call.id,
        ...(body === undefined ? {} : { body }),
        signal: gone.signal,
      });
      pass(answer, call);
    } catch {
      if (!res.destroyed && !res.headersSent) notNow(call, "it does not answer");
    }
  }
}

/** One answer from there to the client, as slowly as the client reads it. */
function pass(answer: IncomingMessage, { res, headers }: Call): void {
  const raw = answer.rawHeaders;
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (!KEPT.test(name.toLowerCase())) kept.push(name, raw[i + 1] ?? "");
  }
  res.writeHead(answer.statusCode ?? 502, [...kept, ...headers]);
  answer.on("data", (chunk: Buffer) => {
    if (res.write(chunk)) return;
    answer.pause();
    res.once("drain", () => answer.resume());
  });
  answer.once("end", () => res.end());
  answer.once("error", () => res.destroy());
}

const notNow = (call: Call, why: string): void =>
  sendError(call, {
    status: 503,
    type: "server_error",
    code: "node_unreachable",
    message: `The node could not answer this worker: ${why}.`,
    retryAfter: 1,
  });
