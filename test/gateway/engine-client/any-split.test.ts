import * as fc from "fast-check";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { ChunkedBody } from "../../../src/gateway/http/chunked-body.ts";
import { ResponseHead } from "../../../src/gateway/http/response-head.ts";
import { KnownAnswers } from "../../../src/gateway/http/response-known.ts";
import { anyAnswer, bytesOf } from "./answers.ts";
import { AnsweringServer } from "./answering-server.ts";
import { ask, clientFor } from "./ask-engine.ts";

/** Cuts bytes at these places, as shares of its length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => Math.floor(place * bytes.length)))].toSorted((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end));
}

const PLACES = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { maxLength: 12 });

it("a head is the same however it is cut, and wherever in a buffer it begins", () => {
  fc.assert(
    fc.property(anyAnswer, PLACES, fc.nat(20), (answer, places, offset) => {
      const bytes = bytesOf(answer);
      const whole = new ResponseHead(new KnownAnswers());
      const body = whole.take(bytes, 0, bytes.length);
      const parts = new ResponseHead(new KnownAnswers());
      let taken = 0;
      let end = -1;
      for (const part of cut(bytes, places)) {
        const padded = Buffer.concat([Buffer.alloc(offset, 1), part, Buffer.alloc(7, 1)]);
        end = parts.take(padded, offset, offset + part.length);
        if (end >= 0) {
          end += taken - offset;
          break;
        }
        taken += part.length;
      }
      expect([end, parts.status, parts.headers]).toEqual([body, whole.status, whole.headers]);
      expect(parts.framing).toEqual(whole.framing);
    }),
    { numRuns: 400 },
  );
});

it("a chunked body is the same however it is cut, and what is behind it stays", () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), PLACES, fc.nat(9), (pieces, places, behind) => {
      const data = Buffer.concat(pieces);
      const framed = Buffer.concat([
        ...pieces.flatMap((bytes, i) => [
          Buffer.from(`${bytes.length.toString(16)}${i % 3 === 1 ? ";a=b;c" : ""}\r\n`),
          bytes,
          Buffer.from("\r\n"),
        ]),
        Buffer.from(behind % 2 === 0 ? "0\r\n\r\n" : "000\r\nx-sum: 7\r\n\r\n"),
      ]);
      const all = Buffer.concat([framed, Buffer.alloc(behind, "H")]);
      const body = new ChunkedBody();
      const got: Buffer[] = [];
      let position = 0;
      for (const part of cut(all, places)) {
        if (body.done) break;
        got.push(body.take(part, 0, part.length) ?? part.subarray(body.pieceFrom, body.pieceEnd));
        position += body.position;
        expect(body.done || body.position === part.length).toBe(true);
      }
      expect([body.done, position]).toEqual([true, framed.length]);
      expect(Buffer.concat(got).equals(data)).toBe(true);
    }),
    { numRuns: 400 },
  );
});

it("several chunks of one read are handed on as one", () => {
  const body = new ChunkedBody();
  const bytes = Buffer.from("3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  expect(body.take(bytes, 0, bytes.length)?.toString()).toBe("abcdefg");
  expect(body.done).toBe(true);
});

it("over a socket, the same answer comes out of any writes", async () => {
  let writes: Buffer[] = [];
  await using server = await AnsweringServer.start((socket) => {
    for (const [i, part] of writes.entries()) setTimeout(() => socket.write(part), 2 * i);
  });
  const client = clientFor(server.address);
  await fc.assert(
    fc.asyncProperty(anyAnswer, PLACES, async (answer, places) => {
      const ended = answer.framing === "close";
      writes = cut(bytesOf(answer), places);
      const heard = ask(client);
      if (ended) {
        const asked = server.asked.length;
        while (server.asked.length === asked) await sleep(1);
        await sleep(10 + 4 * writes.length);
        for (const socket of server.open) socket.end();
      }
      const { status, body, error, told, headers } = await heard;
      expect(error).toBeUndefined();
      expect([status, body.equals(answer.body), told[0], told[1], told.at(-1)]).toEqual([
        answer.status,
        true,
        "request",
        "start",
        "end",
      ]);
      expect(headers["x-one"]).toBe(answer.one);
    }),
    { numRuns: 40 },
  );
  await client.destroy();
});
