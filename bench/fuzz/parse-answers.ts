/** One answer as it stood on the wire; texts are latin1. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** It ended as its own head says. */
  readonly complete: boolean;
}

export interface ReadAnswers {
  readonly answers: readonly ReadAnswer[];
  /** Why the bytes are no HTTP. */
  readonly fault?: string;
}

const STATUS = /^HTTP\/1\.1 (\d{3})(?: [^\r\n]*)?$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/;

/** Reads answers strictly, one for each request; what stands behind the last is a fault. */
export function parseAnswers(text: string, methods: readonly string[], closed: boolean): ReadAnswers {
  const answers: ReadAnswer[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end < 0) return closed ? { answers, fault: "a head that never ended" } : { answers };
    const [first = "", ...lines] = text.slice(at, end).split("\r\n");
    const status = Number(STATUS.exec(first)?.[1]);
    if (Number.isNaN(status)) return { answers, fault: `no status line: ${first.slice(0, 80)}` };
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const [, name = "", value = ""] = HEADER.exec(line) ?? [];
      if (name === "") return { answers, fault: `no header: ${line.slice(0, 80)}` };
      headers[name.toLowerCase()] = value;
    }
    at = end + 4;
    if (status < 200) continue;
    const body = readBody(text, at, headers, status, methods[answers.length] ?? "", closed);
    if ("fault" in body) return { answers, fault: body.fault };
    answers.push({ status, headers, body: body.text, complete: body.complete });
    at = body.end;
    if (!body.complete) break;
  }
  return { answers };
}

interface ReadBody {
  readonly text: string;
  readonly end: number;
  readonly complete: boolean;
}

function readBody(
  text: string,
  at: number,
  headers: Readonly<Record<string, string>>,
  status: number,
  method: string,
  closed: boolean,
): ReadBody | { readonly fault: string } {
  // Whom a head was too much or too slow for has not read the method.
  const unread = (status === 400 || status === 408 || status === 431) && text[at] === "{";
  const bodiless = method === "HEAD" && !unread;
  if (bodiless || status === 204 || status === 304) return { text: "", end: at, complete: true };
  if (headers["transfer-encoding"] === "chunked") return readChunks(text, at);
  const length = headers["content-length"];
  if (length === undefined) return { text: text.slice(at), end: text.length, complete: closed };
  if (!/^\d+$/.test(length)) return { fault: `content-length: ${length}` };
  const end = at + Number(length);
  return { text: text.slice(at, end), end: Math.min(end, text.length), complete: text.length >= end };
}

/** Chunks up to the last, or as far as they came. */
export function readChunks(text: string, from: number): ReadBody | { readonly fault: string } {
  const parts: string[] = [];
  for (let at = from; ;) {
    const line = text.indexOf("\r\n", at);
    if (line < 0) return { text: parts.join(""), end: text.length, complete: false };
    const size = /^[0-9a-f]+$/i.exec(text.slice(at, line))?.[0];
    if (size === undefined) return { fault: `no size of a chunk: ${text.slice(at, line).slice(0, 40)}` };
    const length = Number.parseInt(size, 16);
    const start = line + 2;
    if (length === 0) {
      const complete = text.length >= start + 2;
      return { text: parts.join(""), end: complete ? start + 2 : text.length, complete };
    }
    parts.push(text.slice(start, start + length));
    at = start + length + 2;
    if (at > text.length) return { text: parts.join(""), end: text.length, complete: false };
  }
}
