/** One request as it goes over the wire. Texts are latin1: one character is one byte. */
export interface SentRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly framing: "none" | "length" | "chunked";
  /** Sent instead of what the other members say. */
  readonly raw?: string;
}

/** What an engine does for one try. */
export interface EngineScript {
  readonly status: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly framing: "length" | "chunked" | "close";
  /** Sent instead of what the members above say. */
  readonly raw?: string;
  /** Bytes of the wire that are sent; all when absent. */
  readonly cut?: number;
  /** Where what is sent is divided into writes. */
  readonly places: readonly number[];
  readonly leave: "keep" | "end" | "reset" | "stall";
}

/** One connection of a client, and what engines answer to it; all that is needed to do it again. */
export interface FuzzCase {
  readonly index: number;
  /** More than one are pipelined. */
  readonly requests: readonly SentRequest[];
  /** Where what is sent is divided into writes. */
  readonly places: readonly number[];
  /** The client goes after so many bytes, sent or received. */
  readonly hangUp?: {
    readonly after: "sent" | "received";
    readonly bytes: number;
    readonly how: "end" | "reset";
  };
  /** What engines answer, by `scriptKey`; what is not there is made of seed and index. */
  readonly scripts: Readonly<Record<string, EngineScript>>;
}

/** One try of one request in one dialect. */
export const scriptKey = (id: string, attempt: number, shape: string, stream: boolean): string =>
  `${id} ${attempt} ${shape}${stream ? " stream" : ""}`;

/** A case's own request id, by which engines find their script. */
export const requestIdOf = (index: number, request: number): string => `case-${index}.${request}`;

const CHUNK = 700;

/** Bytes in chunks of HTTP, with the last one. */
const chunked = (body: string): string => {
  let wire = "";
  for (let at = 0; at < body.length; at += CHUNK) {
    const chunk = body.slice(at, at + CHUNK);
    wire += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  return `${wire}0\r\n\r\n`;
};

const headOf = (first: string, headers: readonly (readonly [string, string])[]): string =>
  `${first}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;

/** A request's bytes. */
export function requestWire(sent: SentRequest): string {
  if (sent.raw !== undefined) return sent.raw;
  const head = headOf(`${sent.method} ${sent.target} HTTP/1.1`, sent.headers);
  if (sent.framing === "none") return `${head}\r\n`;
  if (sent.framing === "length") return `${head}content-length: ${sent.body.length}\r\n\r\n${sent.body}`;
  return `${head}transfer-encoding: chunked\r\n\r\n${chunked(sent.body)}`;
}

/** An engine's bytes, before the cut. */
export function scriptWire(script: EngineScript): string {
  if (script.raw !== undefined) return script.raw;
  const head = headOf(`HTTP/1.1 ${script.status}`, script.headers);
  if (script.framing === "length")
    return `${head}content-length: ${script.body.length}\r\n\r\n${script.body}`;
  if (script.framing === "close") return `${head}connection: close\r\n\r\n${script.body}`;
  return `${head}transfer-encoding: chunked\r\n\r\n${chunked(script.body)}`;
}

/** Divides a text at places. */
export function divided(text: string, places: readonly number[]): string[] {
  const cuts = [...places.filter((place) => place > 0 && place < text.length), text.length];
  return cuts.map((end, i) => text.slice(i === 0 ? 0 : cuts[i - 1], end));
}
