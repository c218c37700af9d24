import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

/** One request as the server saw it. */
interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface FileServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** What the server does with requests for one path. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A real HTTP server on loopback with one answer a path; anything else is 404. */
export async function startFileServer(answers: Readonly<Record<string, Answer>>): Promise<FileServer> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/\?.*$/, "");
    const { range, authorization } = request.headers;
    seen.push({ path, range, authorization });
    const answer = answers[path];
    if (answer === undefined) response.writeHead(404).end("no such file");
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Serves `bytes` by ranges, as hubs do. */
export const ranges =
  (bytes: Uint8Array, etag = '"v1"'): Answer =>
  (request, response) => {
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const first = Number(match?.[1]);
    const last = Math.min(Number(match?.[2]), bytes.length - 1);
    if (match === null || first > last) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    response.writeHead(206, {
      etag,
      "content-length": last - first + 1,
      "content-range": `bytes ${first}-${last}/${bytes.length}`,
    });
    response.end(bytes.subarray(first, last + 1));
  };

/** Redirects to `location`. */
export const redirect =
  (location: string, status = 302): Answer =>
  (_, response) => {
    response.writeHead(status, { location }).end();
  };

/** Answers `status` and a body that nobody wants. */
export const refuse =
  (status: number): Answer =>
  (_, response) => {
    response.writeHead(status).end("no");
  };

/** One answer after the other; the last stays. */
export const inTurn = (...answers: readonly Answer[]): Answer => {
  let turn = 0;
  return (request, response) => {
    const answer = answers[Math.min(turn++, answers.length - 1)];
    answer?.(request, response);
  };
};
