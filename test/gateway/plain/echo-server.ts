import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

import type { HttpService, TlsFiles } from "../../../src/gateway/http-server.ts";
import { createHttpServer } from "../../../src/gateway/http-server.ts";
import type { PlainService } from "../../../src/gateway/http/plain-front.ts";
import type { AnswerOutlet, RequestBody, RequestHead } from "../../../src/gateway/http/request-head.ts";
import type { GatewayLimits } from "../../../src/gateway/limits.ts";
import { DEFAULT_LIMITS } from "../../../src/gateway/limits.ts";
import { NodeBody } from "../../../src/gateway/read-body.ts";

export type Answers = (req: RequestHead, body: RequestBody, res: AnswerOutlet) => void;

/** Answers with what it was asked, so that two servers that read a request differently answer differently. */
export const echo: Answers = (req, body, res) => {
  body.read(
    1e9,
    (bytes) => {
      const { method, url, headers } = req;
      const text = Buffer.from(JSON.stringify({ method, url, headers, body: bytes.toString("latin1") }));
      res.writeHead(200, ["content-type", "application/json", "content-length", String(text.length)]);
      res.end(text);
    },
    () => res.destroy(),
  );
};

/** A server whose plain requests under /v1/ do not pass node:http, or one that knows no others; both answer alike. */
export class TwoSided implements AsyncDisposable, HttpService, PlainService {
  readonly server: Server;
  /** Paths that were asked for, on the plain side and by node:http. */
  readonly plain: string[] = [];
  readonly other: string[] = [];
  /** Requests that are closed: path, and whether their answer was handed to the system. */
  readonly closed: [string, boolean][] = [];
  readonly #answers: Answers;

  private constructor(front: boolean, answers: Answers, limits: Partial<GatewayLimits>, tls?: TlsFiles) {
    this.#answers = answers;
    const bare = { enter: (req: IncomingMessage, res: ServerResponse) => this.enter(req, res) };
    this.server = createHttpServer({ ...DEFAULT_LIMITS, ...limits }, tls, front ? this : bare);
  }

  static async listen(
    front: boolean,
    answers: Answers = echo,
    limits: Partial<GatewayLimits> = {},
    tls?: TlsFiles,
  ): Promise<TwoSided> {
    const made = new TwoSided(front, answers, limits, tls);
    made.server.listen(0, "127.0.0.1");
    await once(made.server, "listening");
    return made;
  }

  takes(path: string): boolean {
    return path.startsWith("/v1/") && !path.includes("?");
  }

  enter(req: IncomingMessage, res: ServerResponse): void {
    this.other.push(req.url ?? "");
    this.#enter(req, new NodeBody(req), res);
  }

  enterPlain(req: RequestHead, body: RequestBody, res: AnswerOutlet): void {
    this.plain.push(req.url ?? "");
    this.#enter(req, body, res);
  }

  #enter(req: RequestHead, body: RequestBody, res: AnswerOutlet): void {
    res.once("close", () => this.closed.push([req.url ?? "", res.writableFinished]));
    this.#answers(req, body, res);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
