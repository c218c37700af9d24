import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage, RequestOptions, Server, ServerResponse } from "node:http";

/** An engine of another address that is a real one behind a tap: what it answered last can be read byte for byte. */
export class Tap {
  readonly url: string;
  readonly #server: Server;
  readonly #target: () => Promise<RequestOptions>;
  #heard: Buffer[] = [];

  private constructor(server: Server, port: number, target: () => Promise<RequestOptions>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}/v1`;
    this.#target = target;
    server.on("request", (req: IncomingMessage, res: ServerResponse) => {
      if (req.method === "POST") this.#pass(req, res).catch(() => res.destroy());
      else res.end(JSON.stringify({ object: "list", data: [{ id: "caller", object: "model" }] }));
    });
  }

  /** `target` is asked anew for each request, because the engine's place is known late. */
  static async start(target: () => Promise<RequestOptions>): Promise<Tap> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const at = server.address();
    return new Tap(server, typeof at === "object" && at !== null ? at.port : 0, target);
  }

  /** What the engine answered to the last request. */
  heard(): string {
    return Buffer.concat(this.#heard).toString("utf8");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const heard: Buffer[] = [];
    this.#heard = heard;
    const { headers, method, url } = req;
    const onward = request({
      ...(await this.#target()),
      method,
      path: url,
      headers: { ...headers, host: "engine" },
    });
    onward.once("error", () => res.destroy());
    res.once("close", () => onward.destroy());
    onward.once("response", (answer: IncomingMessage) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("data", (chunk: Buffer) => {
        heard.push(chunk);
        res.write(chunk);
      });
      answer.once("end", () => res.end());
      answer.once("error", () => res.destroy());
    });
    req.pipe(onward);
  }
}
