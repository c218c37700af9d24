import type { ServerResponse } from "node:http";
import type { ObjectStore, Stored, StoreEvent } from "./object-store.ts";
import { refuse, statusBody } from "./requests.ts";

interface Stream {
  readonly plural: string;
  readonly response: ServerResponse;
}

/** Watches: one line of JSON a change, from a version on. */
export class WatchStreams {
  readonly #store: ObjectStore;
  readonly #streams = new Set<Stream>();
  /** The next watch of a forgotten version is told so in the stream (true) or by the status of the answer. */
  goneInStream = true;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** How many watches are open, of one kind or of all. */
  open(plural?: string): number {
    return [...this.#streams].filter((stream) => plural === undefined || stream.plural === plural).length;
  }

  selects(query: URLSearchParams): (object: Stored) => boolean {
    const wanted = (query.get("labelSelector") ?? "")
      .split(",")
      .filter((pair) => pair !== "")
      .map((pair) => pair.split("="));
    return ({ metadata }) => wanted.every(([key = "", value = ""]) => metadata.labels?.[key] === value);
  }

  serve(plural: string, query: URLSearchParams, response: ServerResponse): void {
    const version = Number(query.get("resourceVersion") ?? "0");
    const missed = this.#store.since(plural, version);
    if (missed === undefined && !this.goneInStream) {
      refuse(response, 410, "Expired", "too old resource version");
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (missed === undefined) {
      const object = statusBody(
        410,
        "Expired",
        `too old resource version: ${version} (${this.#store.version})`,
      );
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    const selects = this.selects(query);
    const tell = (event: StoreEvent): void => {
      if (event.plural !== plural || !selects(event.object)) return;
      response.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
    };
    for (const event of missed) tell(event);
    const stream = { plural, response };
    this.#streams.add(stream);
    const unsubscribe = this.#store.subscribe(tell);
    response.on("close", () => {
      unsubscribe();
      this.#streams.delete(stream);
    });
  }

  /** Tells every watch which version it has seen, as a server does about every minute. */
  bookmark(): void {
    for (const { response } of this.#streams) {
      const object = { kind: "Bookmark", metadata: { resourceVersion: `${this.#store.version}` } };
      response.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
    }
  }

  /** Ends every watch in order, as a server does after its time. */
  endAll(): void {
    for (const { response } of this.#streams) response.end();
  }

  close(): void {
    for (const { response } of this.#streams) response.destroy();
  }
}
