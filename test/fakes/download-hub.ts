import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** A file of the fake hub; `digest` lets it lie about the content. */
export interface HubFile {
  readonly path: string;
  readonly content: Buffer;
  readonly large?: boolean;
  readonly digest?: string;
}

/** A request as the hub saw it. */
export interface Seen {
  readonly host: "hub" | "store";
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

const hash = (name: string, ...parts: (string | Buffer)[]): string => {
  const sum = createHash(name);
  for (const part of parts) sum.update(part);
  return sum.digest("hex");
};

const addressOf = (server: Server): string => {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
};

/**
 * A hub that speaks the part of the real one's interface that downloads need: a listing in pages with a Link header, and
 * files that are redirected to a store on another port, with ranges. It can ask for a token and cut answers short.
 */
export class DownloadHub {
  readonly seen: Seen[] = [];
  token: string | undefined;
  /** Bytes after which the next answers of the store are cut, one number an answer. */
  readonly cuts: number[] = [];
  ranges = true;
  private readonly files: readonly HubFile[];
  private readonly pageSize: number;
  private readonly hub: Server;
  private readonly store: Server;

  private constructor(files: readonly HubFile[], pageSize: number) {
    this.files = files;
    this.pageSize = pageSize;
    this.hub = createServer((request, response) => {
      this.answerHub(request, response);
    });
    this.store = createServer((request, response) => {
      this.answerStore(request, response);
    });
  }

  static async start(files: readonly HubFile[], pageSize = 1000): Promise<DownloadHub> {
    const hub = new DownloadHub(files, pageSize);
    for (const server of [hub.hub, hub.store])
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    return hub;
  }

  get endpoint(): string {
    return addressOf(this.hub);
  }

  /** Requests for contents, in order. */
  get contents(): readonly Seen[] {
    return this.seen.filter(({ host }) => host === "store");
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  private note(host: Seen["host"], request: IncomingMessage): URL {
    const { range, authorization } = request.headers;
    this.seen.push({ host, url: request.url ?? "", range, authorization });
    return new URL(request.url ?? "/", "http://hub.invalid");
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    const url = this.note("hub", request);
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401, { "content-type": "application/json" }).end('{"error":"Invalid credentials"}');
    } else if (url.pathname === "/api/models/owner/model/tree/main") this.answerListing(url, response);
    else if (url.pathname.startsWith("/owner/model/resolve/main/")) {
      const path = url.pathname.slice("/owner/model/resolve/main/".length);
      response.writeHead(302, { location: `${addressOf(this.store)}/${path}` }).end();
    } else response.writeHead(404).end('{"error":"Repository not found"}');
  }

  private answerListing(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const page = this.files.slice(from, from + this.pageSize).map((file) => ({
      type: "file",
      oid: file.large === true ? "f".repeat(40) : (file.digest ?? gitSha(file.content)),
      size: file.content.length,
      path: file.path,
      ...(file.large === true
        ? {
            lfs: {
              oid: file.digest ?? hash("sha256", file.content),
              size: file.content.length,
              pointerSize: 134,
            },
          }
        : {}),
      lastCommit: { id: "a".repeat(40), title: 'Quotes " and {"type":"file","path":"no"} in a title' },
    }));
    const next = from + this.pageSize;
    if (next < this.files.length)
      response.setHeader(
        "link",
        `<${this.endpoint}/api/models/owner/model/tree/main?recursive=true&cursor=${next}>; rel="next"`,
      );
    const folder = { type: "directory", oid: "e".repeat(40), size: 0, path: "folder" };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify([folder, ...page]));
  }

  private answerStore(request: IncomingMessage, response: ServerResponse): void {
    const url = this.note("store", request);
    const file = this.files.find(({ path }) => path === decodeURIComponent(url.pathname.slice(1)));
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const from = this.ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
    const body = file.content.subarray(from);
    const size = file.content.length;
    response.writeHead(from > 0 ? 206 : 200, {
      "content-length": body.length,
      ...(from > 0 ? { "content-range": `bytes ${from}-${size - 1}/${size}` } : {}),
    });
    const cut = this.cuts.shift();
    if (cut === undefined) response.end(body);
    else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  }
}

/** What git names a blob by: SHA-1 over `blob SIZE\0` and the content. */
const gitSha = (content: Buffer): string => hash("sha1", `blob ${content.length}\0`, content);
