import * as fc from "fast-check";

/** An answer as an engine may give it. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly one: string;
  readonly interim: readonly number[];
  readonly framing: "length" | "chunked" | "close";
  readonly chunks: readonly number[];
  readonly body: Buffer;
}

const VALUE = fc
  .stringMatching(/^[!-~\xa1-\xff](?:[\t -~\xa1-\xff]{0,30}[!-~\xa1-\xff])?$/)
  .filter((value) => Buffer.from(value, "latin1").toString("latin1") === value);

export const anyAnswer: fc.Arbitrary<Answer> = fc
  .record({
    status: fc.constantFrom(200, 200, 201, 400, 404, 429, 500, 503, 599),
    reason: fc.constantFrom("", " ", " OK", " Not quite: ünd so"),
    one: VALUE,
    interim: fc.constantFrom([], [], [], [102], [103, 103]),
    framing: fc.constantFrom("length", "chunked", "close"),
    chunks: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
    body: fc.uint8Array({ maxLength: 300 }),
  })
  .map((answer) => ({ ...answer, body: Buffer.from(answer.body) }) satisfies Answer);

/** The answer's bytes; one that ends with its connection says nothing of its length. */
export function bytesOf(answer: Answer): Buffer {
  const { status, reason, one, interim, framing, body } = answer;
  const said =
    framing === "length"
      ? `Content-Length: ${body.length}\r\n`
      : framing === "chunked"
        ? "transfer-encoding: Chunked\r\n"
        : "";
  const before = interim.map((status) => `HTTP/1.1 ${status} Wait\r\nlink: x\r\n\r\n`).join("");
  const head = `${before}HTTP/1.1 ${status}${reason}\r\nX-One: ${one}\r\n${said}X-Two:\t two \t\r\nx-two:\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), framing === "chunked" ? chunked(answer) : body]);
}

function chunked({ body, chunks }: Answer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, i = 0; at < body.length; i++) {
    const part = body.subarray(at, at + (chunks[i % chunks.length] ?? 1));
    parts.push(Buffer.from(`${part.length.toString(16).toUpperCase()}\r\n`), part, Buffer.from("\r\n"));
    at += part.length;
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}
