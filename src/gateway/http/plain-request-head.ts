import type { IncomingHttpHeaders } from "node:http";

/** What the plain side read of a request: everything but its body. */
export interface PlainHead {
  /** Path and query, as they came. */
  readonly url: string;
  readonly path: string;
  /** Frozen: requests with the same head share it. */
  readonly headers: IncomingHttpHeaders;
  /** Bytes of the head, the empty line included. */
  readonly size: number;
  /** Bytes of the body. */
  readonly length: number;
  /** The client asked that the connection end with the answer. */
  readonly close: boolean;
  /** Heads that differ in nothing but the length of the body share it. */
  readonly kin: object;
}

const END = "\r\n\r\n";
const REQUEST_LINE = /POST (\/[!$&'()*+,\-./0-9:;=?@A-Z_a-z~%]*) HTTP\/1\.1\r\n/y;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_A_VALUE = /[^\t\x20-\x7e]/;
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;
const MOST_HEADERS = 100;
const MOST_NAMES = 256;

/** Those whose meaning is node:http's to decide, and `__proto__`, which is no name for an object's member. */
const NOT_PLAIN = new Set([
  "transfer-encoding",
  "expect",
  "upgrade",
  "trailer",
  "te",
  "proxy-connection",
  "http2-settings",
  "set-cookie",
  "__proto__",
]);

/**
 * Reads the head that `bytes` begin with, when it is whole, at most `most` bytes long, and of the one form that no two
 * readers of HTTP/1.1 take differently: POST with one Host and one Content-Length, each name once, visible ASCII, CRLF
 * (RFC 9112, 2 to 6). Everything else is `undefined`, whatever the reason: node:http decides what becomes of it.
 */
export function readPlainHead(bytes: Buffer, most: number): PlainHead | undefined {
  const end = bytes.indexOf(END);
  const size = end + END.length;
  if (end < 0 || size > most) return undefined;
  const text = bytes.toString("latin1", 0, size);
  REQUEST_LINE.lastIndex = 0;
  const url = REQUEST_LINE.exec(text)?.[1];
  if (url === undefined) return undefined;
  const headers = readHeaders(text, REQUEST_LINE.lastIndex, size - 2);
  if (headers === undefined) return undefined;
  const { host, connection } = headers;
  const length = headers["content-length"];
  if (host === undefined || host === "" || length === undefined || !LENGTH.test(length)) return undefined;
  const wish = connection?.toLowerCase();
  if (wish !== undefined && wish !== "keep-alive" && wish !== "close") return undefined;
  const path = url.split("?", 1)[0] ?? url;
  return {
    url,
    path,
    headers: Object.freeze(headers),
    size,
    length: Number(length),
    close: wish === "close",
    kin: {},
  };
}

/** Names in small letters, by how they were written: clients write the same few. */
const names = new Map<string, string>();

/** A header's name as an object has it; `undefined` for what is no name, or one that has to go to node:http. */
function nameOf(written: string): string | undefined {
  const known = names.get(written);
  if (known !== undefined) return known;
  if (!NAME.test(written)) return undefined;
  const name = written.toLowerCase();
  if (NOT_PLAIN.has(name)) return undefined;
  if (names.size < MOST_NAMES) names.set(written, name);
  return name;
}

/** The header lines of `text` between two places, by lower-case name. */
function readHeaders(text: string, from: number, to: number): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = {};
  let count = 0;
  for (let at = from; at < to;) {
    const end = text.indexOf("\r\n", at);
    const colon = text.indexOf(":", at);
    if (colon < 0 || colon > end || ++count > MOST_HEADERS) return undefined;
    const name = nameOf(text.slice(at, colon));
    // An inherited member (`constructor`) counts as there: such a name is not worth a second look.
    if (name === undefined || name in headers) return undefined;
    const value = text.slice(colon + 1, end);
    if (NOT_A_VALUE.test(value)) return undefined;
    headers[name] = trimmed(value);
    at = end + 2;
  }
  return headers;
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Without the optional whitespace around it (RFC 9112, 5). */
function trimmed(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return value.slice(from, to);
}
