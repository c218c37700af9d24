import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";

import { TwoSided } from "./echo-server.ts";
import { post, RawClient, undated } from "./raw-client.ts";

let bare: TwoSided;
let fronted: TwoSided;
beforeAll(async () => {
  bare = await TwoSided.listen(false);
  fronted = await TwoSided.listen(true);
});
afterAll(async () => {
  await bare[Symbol.asyncDispose]();
  await fronted[Symbol.asyncDispose]();
});

interface Case {
  readonly bytes: Buffer;
  /** Where the bytes are cut into writes. */
  readonly cuts: readonly number[];
}

/** What each server says to these bytes, before and after the client ends its side. */
async function answersTo({ bytes, cuts }: Case): Promise<readonly [string, string]> {
  const clients = [await RawClient.open(bare.server), await RawClient.open(fronted.server)] as const;
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [i, place] of places.entries()) {
    const part = bytes.subarray(places[i - 1] ?? 0, place);
    if (part.length === 0) continue;
    for (const client of clients) if (client.socket.writable) client.write(part);
    await turn();
  }
  // Both had the same to do: what one says and the other does not yet is on its way.
  for (let quiet = 0, seen = "", end = Date.now() + 2_000; quiet < 3 && Date.now() < end;) {
    await sleep(6);
    const [a, b] = clients.map(({ text }) => undated(text));
    quiet = a === b && a === seen ? quiet + 1 : 0;
    seen = a ?? "";
  }
  for (const { socket } of clients) if (socket.writable) socket.end();
  const [a, b] = await Promise.all(clients.map(async (client) => undated(await client.closed())));
  return [a ?? "", b ?? ""];
}

const often = <T>(usual: T, ...odd: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const BODIES = [
  '{"a":1}',
  "",
  "POST /v1/x HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n",
  "0\r\n\r\n",
  "\xff\0",
];
const OTHERS = [
  "connection: keep-alive",
  "Connection: close",
  "connection: CLOSE",
  "connection: close, x",
  "connection: upgrade",
  "proxy-connection: close",
  "keep-alive: timeout=5",
  "transfer-encoding: chunked",
  "Transfer-Encoding: identity",
  "te: trailers",
  "trailer: x",
  "expect: x",
  "upgrade: h2c",
  "x-a: b",
  "X-A: c",
  "x-a:",
  "x-a:\t b \t",
  "x-a : b",
  "x-a: b\r\n c",
  "x-a: \xe9",
  "x-a: \x7f",
  "x-a",
  ": b",
  "cookie: a=b",
  "set-cookie: a=b",
  "__proto__: b",
  "constructor: b",
  "content-length: 3",
  "host: other",
  "content-encoding: gzip",
];

/** What node:http does with these behind a request without an answer is a matter of moments. */
const FIRST_ONLY = ["expect: 100-continue"];
const FIRST_METHODS = ["CONNECT"];

const request = (first: boolean): fc.Arbitrary<string> =>
  fc
    .record({
      method: often("POST", "GET", "PUT", "post", "HEAD", "P\0ST", ...(first ? FIRST_METHODS : [])),
      target: often(
        "/v1/a",
        "/v1/b?c=d",
        "/w",
        "*",
        "http://h/v1/a",
        "/v1/\xe9",
        "/v1/a b",
        "/v1/{",
        "/v1/#x",
        "",
      ),
      version: often("HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1"),
      end: often("\r\n", "\n", "\r", "\r\r\n"),
      host: often("host: h", "HOST:h", "host:", "host: a\r\nhost: b", "x: y"),
      length: often(
        "N",
        "+N",
        "0N",
        "N ",
        "\tN\t",
        "N, N",
        "N\r\ncontent-length: N",
        "0xN",
        "1N",
        "-N",
        "",
        "N\u00a0",
      ),
      others: fc.array(fc.constantFrom(...OTHERS, ...(first ? FIRST_ONLY : [])), { maxLength: 2 }),
      body: fc.constantFrom(...BODIES),
      before: often("", "\r\n", "\n", " "),
    })
    .map(({ method, target, version, end, host, length, others, body, before }) => {
      const told = `Content-Length: ${length.replaceAll("N", String(body.length))}`;
      return `${before}${[`${method} ${target} ${version}`, host, told, ...others].join(end)}${end}${end}${body}`;
    });

const changed = fc.tuple(fc.nat(400), fc.constantFrom("set", "cut", "put"), fc.nat(255));

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    first: request(true),
    more: fc.array(request(false), { maxLength: 2 }),
    changes: fc.oneof(fc.constant([]), fc.array(changed, { maxLength: 2 })),
    cuts: fc.oneof(fc.constant([]), fc.array(fc.nat(600), { maxLength: 4 })),
  })
  .map(({ first, more, changes, cuts }) => {
    let bytes = Buffer.from([first, ...more].join(""), "latin1");
    for (const [place, how, byte] of changes) {
      const at = place % (bytes.length + 1);
      const added = how === "cut" ? [] : [byte];
      const behind = bytes.subarray(how === "put" ? at : at + 1);
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(added), behind]);
    }
    return { bytes, cuts };
  });

it("whatever bytes come, and however they are cut, the answers are those of node:http alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCase, { minLength: 15, maxLength: 25 }), async (cases) => {
      const answers = await Promise.all(cases.map(answersTo));
      for (const [i, [alone, both]] of answers.entries()) {
        expect(both, JSON.stringify(cases[i]?.bytes.toString("latin1"))).toBe(alone);
      }
    }),
    { numRuns: 15 },
  );
  // It was no comparison of node:http with itself.
  expect(fronted.plain.length).toBeGreaterThan(100);
  expect(fronted.other.length).toBeGreaterThan(100);
});

it("a plain request may be cut at every place", async () => {
  const bytes = Buffer.from(
    post("/v1/a", '{"a":1}') + post("/v1/b", "x".repeat(20), "connection: close\r\n"),
  );
  const cases = Array.from({ length: bytes.length }, (_, at) => ({ bytes, cuts: [at] }));
  for (const [alone, both] of await Promise.all(cases.map(answersTo))) {
    expect(both).toBe(alone);
    expect(both.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  }
});
