import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { KnownHeads } from "./known-head.ts";
import { readPlainHead } from "./plain-request-head.ts";

const MOST = 16_384;
const REST = "host: h\r\ncontent-length: 2\r\n\r\n";
const read = (text: string): ReturnType<typeof readPlainHead> =>
  readPlainHead(Buffer.from(text, "latin1"), MOST);

describe("the head of a plain request", () => {
  it("is read as node:http names it", () => {
    const head =
      "POST /v1/a?b=c HTTP/1.1\r\nHost: h:1\r\nX-A:\t b c \t\r\nContent-Length: 12\r\nX-Empty:\r\n\r\n";
    expect(read(`${head}body`)).toEqual({
      url: "/v1/a?b=c",
      path: "/v1/a",
      headers: { host: "h:1", "x-a": "b c", "content-length": "12", "x-empty": "" },
      size: head.length,
      length: 12,
      close: false,
      kin: {},
    });
    expect(read(`POST /a HTTP/1.1\r\nConnection: Close\r\n${REST}`)?.close).toBe(true);
  });

  it.each([
    ["another method", `GET /a HTTP/1.1\r\n${REST}`],
    ["a method in small letters", `post /a HTTP/1.1\r\n${REST}`],
    ["an older version", `POST /a HTTP/1.0\r\n${REST}`],
    ["a target with a host", `POST http://h/a HTTP/1.1\r\n${REST}`],
    ["a target with a space", `POST /a b HTTP/1.1\r\n${REST}`],
    ["a target beyond ASCII", `POST /\xe9 HTTP/1.1\r\n${REST}`],
    ["a target with a control character", `POST /a\x01 HTTP/1.1\r\n${REST}`],
    ["two spaces", `POST  /a HTTP/1.1\r\n${REST}`],
    ["an empty line before it", `\r\nPOST /a HTTP/1.1\r\n${REST}`],
    ["a bare line feed", `POST /a HTTP/1.1\nx-a: b\r\n${REST}`],
    ["a bare line feed in a value", `POST /a HTTP/1.1\r\nx-a: b\nx-c: d\r\n${REST}`],
    ["a bare carriage return", `POST /a HTTP/1.1\r\nx-a: b\rc\r\n${REST}`],
    ["a NUL", `POST /a HTTP/1.1\r\nx-a: \0\r\n${REST}`],
    ["a value beyond ASCII", `POST /a HTTP/1.1\r\nx-a: \xe9\r\n${REST}`],
    ["a folded line", `POST /a HTTP/1.1\r\nx-a: b\r\n c\r\n${REST}`],
    ["a space before the colon", `POST /a HTTP/1.1\r\nx-a : b\r\n${REST}`],
    ["a line without a colon", `POST /a HTTP/1.1\r\nx-a\r\n${REST}`],
    ["a name twice", `POST /a HTTP/1.1\r\nx-a: 1\r\nX-A: 1\r\n${REST}`],
    ["two hosts", `POST /a HTTP/1.1\r\nhost: h\r\n${REST}`],
    ["no host", "POST /a HTTP/1.1\r\ncontent-length: 2\r\n\r\n"],
    ["no length", "POST /a HTTP/1.1\r\nhost: h\r\n\r\n"],
    ["two lengths", `POST /a HTTP/1.1\r\ncontent-length: 2\r\n${REST}`],
    ["a signed length", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: +2\r\n\r\n"],
    ["a length with a zero before it", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 02\r\n\r\n"],
    ["a list of lengths", "POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 2, 2\r\n\r\n"],
    ["an endless length", `POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: ${"9".repeat(16)}\r\n\r\n`],
    ["a transfer encoding", `POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n${REST}`],
    ["a wish to be asked", `POST /a HTTP/1.1\r\nexpect: 100-continue\r\n${REST}`],
    ["an upgrade", `POST /a HTTP/1.1\r\nupgrade: h2c\r\n${REST}`],
    ["another wish for the connection", `POST /a HTTP/1.1\r\nconnection: close, x\r\n${REST}`],
    ["a wish meant for a proxy", `POST /a HTTP/1.1\r\nproxy-connection: close\r\n${REST}`],
    ["a name that is none of an object's", `POST /a HTTP/1.1\r\n__proto__: b\r\n${REST}`],
    ["an inherited name", `POST /a HTTP/1.1\r\nconstructor: b\r\n${REST}`],
    ["more than a hundred lines", `POST /a HTTP/1.1\r\n${"x:\r\n".repeat(101)}${REST}`],
    ["a head that is not whole", `POST /a HTTP/1.1\r\n${REST}`.slice(0, -1)],
  ])("%s is left to node:http", (_what, text) => {
    expect(read(text)).toBeUndefined();
  });

  it("that is larger than it may be is left to node:http", () => {
    const text = `POST /a HTTP/1.1\r\n${REST}`;
    expect(readPlainHead(Buffer.from(text), text.length)).toBeDefined();
    expect(readPlainHead(Buffer.from(text), text.length - 1)).toBeUndefined();
  });
});

describe("a head that is known", () => {
  const known = new KnownHeads();
  const bytesOf = (length: string, more = ""): Buffer =>
    Buffer.from(`POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n${more}X-B: c\r\n\r\n`);
  const learn = (bytes: Buffer): ReturnType<KnownHeads["share"]> => {
    const head = readPlainHead(bytes, MOST);
    return head === undefined ? undefined : known.share(head, bytes);
  };

  it("is shared by all that have it, whatever the length of their bodies", () => {
    const first = learn(bytesOf("7"));
    expect(first).toBeDefined();
    expect(learn(bytesOf("1234"))).toBe(first);
    expect(learn(bytesOf("7", "x-a: b\r\n"))).not.toBe(first);
  });

  it("keeps the headers of a request from those of another", () => {
    const bytes = bytesOf("7");
    const head = learn(bytes)?.match(bytes);
    expect(Object.isFrozen(head?.headers)).toBe(true);
    expect(learn(bytes)?.match(bytesOf("12"))?.headers["content-length"]).toBe("12");
    expect(learn(bytes)?.match(bytes)?.headers["content-length"]).toBe("7");
  });

  it("whatever is matched is what the reader reads, and the reader's word counts", () => {
    const learnt = learn(bytesOf("7"));
    const lengths = fc.oneof(
      fc.nat(2 ** 31).map(String),
      fc.constantFrom("", "0", "00", "07", "+7", "7 ", " 7", "7,7", "0x7", "9".repeat(15), "9".repeat(16)),
    );
    fc.assert(
      fc.property(
        lengths,
        fc.array(fc.tuple(fc.nat(70), fc.constantFrom("\r", "\n", ":", " ", "0", "a", "A", "\t", "\0")), {
          maxLength: 2,
        }),
        fc.nat(80),
        (length, changes, cut) => {
          const bytes = Buffer.concat([bytesOf(length), Buffer.from("body")]);
          for (const [at, byte] of changes) if (at < bytes.length) bytes.write(byte, at, "latin1");
          const whole = cut > 60 ? bytes : bytes.subarray(0, cut);
          const matched = learnt?.match(whole);
          expect(matched ?? "left").toEqual(matched === undefined ? "left" : readPlainHead(whole, MOST));
        },
      ),
      { numRuns: 2_000 },
    );
    expect(learnt?.match(bytesOf("123456"))).toEqual(readPlainHead(bytesOf("123456"), MOST));
  });
});
