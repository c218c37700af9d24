/** What an event stream said: data of one event, the id to resume behind, ms to wait before that. */
export interface StreamEvents {
  readonly onData: (data: string) => void;
  readonly onId: (id: string) => void;
  readonly onRetry: (milliseconds: number) => void;
}

/** Reads `text/event-stream` of which only messages matter; an event is at most `most` characters. */
export class EventStream {
  readonly #decoder = new TextDecoder();
  readonly #events: StreamEvents;
  readonly #most: number;
  #rest = "";
  #data = "";
  #type = "";

  constructor(most: number, events: StreamEvents) {
    this.#most = most;
    this.#events = events;
  }

  /** False when an event is longer than allowed. */
  push(chunk: Buffer): boolean {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    let from = 0;
    for (;;) {
      const end = text.indexOf("\n", from);
      if (end === -1) break;
      this.#line(text.slice(from, text[end - 1] === "\r" && end > from ? end - 1 : end));
      from = end + 1;
      if (this.#data.length > this.#most) return false;
    }
    this.#rest = from === 0 ? text : text.slice(from);
    return this.#rest.length + this.#data.length <= this.#most;
  }

  #line(line: string): void {
    if (line === "") {
      const data = this.#data;
      const type = this.#type;
      this.#data = "";
      this.#type = "";
      if (data !== "" && (type === "" || type === "message")) this.#events.onData(data);
      return;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data = this.#data === "" ? value : `${this.#data}\n${value}`;
    else if (field === "event") this.#type = value;
    else if (field === "id") this.#events.onId(value);
    else if (field === "retry" && /^\d+$/.test(value)) this.#events.onRetry(Number(value));
  }
}
