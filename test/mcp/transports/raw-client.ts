/** One client of the eras with sessions, by hand: `fetch` and nothing between. */
export class RawClient {
  readonly url: URL;
  readonly key: string;
  readonly revision: string;
  session = "";
  #id = 0;

  constructor(url: URL, key = "local", revision = "2025-11-25") {
    this.url = url;
    this.key = key;
    this.revision = revision;
  }

  headers(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "x-key": this.key,
      ...(this.session === "" ? {} : { "mcp-session-id": this.session }),
      ...more,
    };
  }

  post(body: unknown, more: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url, {
      method: "POST",
      headers: this.headers(more),
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  ask(method: string, params: object = {}, signal?: AbortSignal): Promise<Response> {
    this.#id += 1;
    return this.post({ jsonrpc: "2.0", id: this.#id, method, params }, {}, signal);
  }

  get(more: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> {
    const headers = { ...this.headers(more), accept: "text/event-stream" };
    return fetch(this.url, { headers, ...(signal === undefined ? {} : { signal }) });
  }

  delete(): Promise<Response> {
    return fetch(this.url, { method: "DELETE", headers: this.headers() });
  }

  /** Begins a session, wholly: the client says too that it began. */
  async initialize(capabilities: object = {}): Promise<void> {
    const response = await this.ask("initialize", {
      protocolVersion: this.revision,
      capabilities,
      clientInfo: { name: "raw", version: "1" },
    });
    await response.text();
    this.session = response.headers.get("mcp-session-id") ?? "";
    await this.post({ jsonrpc: "2.0", method: "notifications/initialized" });
  }
}

/** One event of a stream. */
export interface StreamEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Reads events of a stream, one at a time. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error("the answer has no body");
    this.#reader = response.body.getReader();
  }

  /** The next event; undefined at the end. Comments are left out. */
  async next(): Promise<StreamEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const { done, value } = await this.#reader.read();
        if (done) return undefined;
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const lines = this.#text.slice(0, end).split("\n");
      this.#text = this.#text.slice(end + 2);
      const field = (name: string): string =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
      if (lines.some((line) => !line.startsWith(":"))) {
        return { event: field("event"), id: field("id"), data: field("data") };
      }
    }
  }

  /** The next event that carries a message. */
  async message(): Promise<unknown> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) return undefined;
      if (event.data !== "") return JSON.parse(event.data);
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
