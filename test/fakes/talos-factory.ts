import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** An image factory on the loopback that knows what was posted, and serves one image with ranges; for `await using`. */
export interface TalosFactory extends AsyncDisposable {
  readonly url: string;
  /** Requests in order, `GET /image/…`. */
  readonly asked: readonly string[];
  readonly image: Buffer;
  /** Breaks the next download after so many bytes. */
  cutAfter(bytes: number): void;
  /** Answers other ids than those of the texts. */
  lie(): void;
}

export async function startTalosFactory(): Promise<TalosFactory> {
  const known = new Set<string>();
  const asked: string[] = [];
  const image = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256));
  let cut: number | undefined;
  let lies = false;
  const post = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const id = createHash("sha256")
      .update(lies ? `${body}#` : body)
      .digest("hex");
    known.add(id);
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify({ id }));
  };
  const send = (request: IncomingMessage, response: ServerResponse): void => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const part = image.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": part.length,
      ...(from > 0 ? { "content-range": `bytes ${from}-${image.length - 1}/${image.length}` } : {}),
    });
    if (request.method === "HEAD") return void response.end();
    const most = cut;
    cut = undefined;
    if (most === undefined) response.end(part);
    else response.write(part.subarray(0, most), () => setImmediate(() => response.destroy()));
  };
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    asked.push(`${method} ${url}`);
    const id = /[0-9a-f]{64}/.exec(url)?.[0] ?? "";
    if (method === "POST") void post(request, response);
    else if (!known.has(id)) response.writeHead(404).end();
    else if (url.startsWith("/image/")) send(request, response);
    else response.end("customization: {}\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    image,
    cutAfter: (bytes) => void (cut = bytes),
    lie: () => void (lies = true),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
