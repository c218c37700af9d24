import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import type { RequestOptions } from "node:https";
import { request as httpsRequest } from "node:https";
import { ApiError } from "./api-error.ts";
import type { ClusterAccess } from "./cluster-access.ts";

/** The longest answer that is read whole; a list of the pods of one node is far below. */
const ANSWER_LIMIT = 32 * 2 ** 20;
/** Milliseconds for an answer that is read whole; the API server itself gives up after a minute. */
const ANSWER_WAIT = 60_000;

export interface ApiRequest {
  readonly method?: "GET" | "PATCH" | "DELETE" | "POST";
  /** `/api/v1/namespaces/ai/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** Of the body; JSON when absent. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** The few requests that running engines takes, signed by the library and sent by Node. */
export class ApiClient {
  readonly access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.access = access;
  }

  /** An answer as JSON. Throws `ApiError` where the server refused, and the error of the network otherwise. */
  async json(request: ApiRequest): Promise<unknown> {
    const limit = AbortSignal.timeout(ANSWER_WAIT);
    const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]);
    const response = await this.#send({ ...request, signal });
    return parsed(await textOf(response));
  }

  /** An answer that goes on: a watch, a log. Destroying it ends it. Throws like `json`. */
  async stream(request: ApiRequest): Promise<IncomingMessage> {
    return this.#send(request);
  }

  async #send(request: ApiRequest): Promise<IncomingMessage> {
    const options: RequestOptions = {
      method: request.method ?? "GET",
      headers: { accept: "application/json, */*", "user-agent": "omni" },
    };
    if (request.signal !== undefined) options.signal = request.signal;
    await this.access.authenticate(options);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const response = await this.#answer(request, options, body);
    if ((response.statusCode ?? 0) < 300) return response;
    throw new ApiError(response.statusCode ?? 0, parsed(await textOf(response)));
  }

  #answer(request: ApiRequest, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
    const url = new URL(this.access.server + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, `${value}`);
    }
    const send = url.protocol === "http:" ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const sent = send(url, options, resolve);
      sent.on("error", reject);
      // A cut network says nothing: the kernel finds it out.
      sent.on("socket", (socket) => socket.setKeepAlive(true, 30_000));
      if (body !== undefined) {
        sent.setHeader("content-type", request.contentType ?? "application/json");
        sent.setHeader("content-length", Buffer.byteLength(body));
      }
      sent.end(body);
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > ANSWER_LIMIT) throw new Error(`The API server's answer is longer than ${ANSWER_LIMIT} bytes.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy before the API answers in its own words.
    return text;
  }
}
