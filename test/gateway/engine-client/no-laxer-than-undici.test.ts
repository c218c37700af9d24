import * as fc from "fast-check";
import { Pool } from "undici";
import { expect, it } from "vitest";

import { UndiciEngine } from "../../../src/gateway/http/engine-undici.ts";
import { anyAnswer, bytesOf } from "./answers.ts";
import { AnsweringServer } from "./answering-server.ts";
import type { HeardAnswer } from "./ask-engine.ts";
import { ask, clientFor } from "./ask-engine.ts";

/** What breaks heads and chunks. */
const SPOILS = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  "=",
  ",",
  "-",
  "+",
  "0",
  "1",
  "9",
  "a",
  "F",
  "x",
  '"',
  "\x7f",
  "\xff",
  "Content-Length: 3\r\n",
  "content-length: 5\r\n",
  "Content-Length: 5, 5\r\n",
  "transfer-encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding:\r\n",
  "transfer-encoding: identity\r\n",
  " folded\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: x\r\n",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.0",
  "HTTP/2.0",
  "204",
  "304",
  "101",
  "0\r\n\r\n",
  ";x=y",
  ';x="y"',
  "5\r\nhello\r\n",
];

interface Spoil {
  readonly at: number;
  readonly remove: number;
  readonly put: string;
}

const anySpoil: fc.Arbitrary<Spoil> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  remove: fc.constantFrom(0, 0, 1, 1, 2, 5),
  put: fc.constantFrom(...SPOILS),
});

/** Two thirds of what is spoilt is in the head or in the first chunk. */
function spoilt(bytes: Buffer, spoils: readonly Spoil[]): Buffer {
  let text = bytes.toString("latin1");
  for (const [i, { at, remove, put }] of spoils.entries()) {
    const place = Math.floor(
      at * (i % 3 === 2 ? text.length : Math.min(text.length, text.indexOf("\r\n\r\n") + 12)),
    );
    text = text.slice(0, place) + put + text.slice(place + remove);
  }
  return Buffer.from(text, "latin1");
}

/** What an answer came to; blanks behind a value are no part of it, though undici keeps them. */
const resultOf = ({ status, headers, text, error }: HeardAnswer): unknown =>
  error === undefined
    ? [
        status,
        Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name,
            [value].flat().map((one) => one?.replace(/[\t ]+$/, "")),
          ]),
        ),
        text,
      ]
    : "refused";

it("what the client takes for an answer, undici takes for the same one", { timeout: 60_000 }, async () => {
  let bytes: Buffer = Buffer.alloc(0);
  await using server = await AnsweringServer.start((socket) => socket.end(bytes));
  const own = clientFor(server.address);
  const port = server.address.kind === "tcp" ? server.address.port : 0;
  const pool = new Pool(`http://127.0.0.1:${port}`, { pipelining: 1, maxHeaderSize: 64 * 1024 });
  const undici = new UndiciEngine(pool);
  let taken = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(anyAnswer, fc.array(anySpoil, { maxLength: 3 }), async (answer, spoils) => {
      bytes = spoilt(bytesOf(answer), spoils);
      const [mine, theirs] = [resultOf(await ask(own)), resultOf(await ask(undici))];
      if (mine === "refused") refused++;
      else taken++;
      // What the client refuses, undici may take.
      expect(mine).toEqual(mine === "refused" ? "refused" : theirs);
    }),
    { numRuns: 1_000 },
  );
  // Both happened often enough to mean something.
  expect(Math.min(taken, refused)).toBeGreaterThan(150);
  await own.destroy();
  await pool.destroy();
});
