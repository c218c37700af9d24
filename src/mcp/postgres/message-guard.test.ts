import fc from "fast-check";
import { expect, it } from "vitest";
import { MessageGuard } from "./message-guard.ts";

/** A message of the protocol: type, length with itself, body. */
function message(body: number): Buffer {
  const bytes = Buffer.alloc(5 + body, "D");
  bytes.writeUInt32BE(4 + body, 1);
  return bytes;
}

it("finds a message that is too long by its header, however the stream is cut into pieces", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (bodies, sizes) => {
        const seen: number[] = [];
        const guard = new MessageGuard({ message: 200, batch: Infinity }, (length) => seen.push(length));
        const stream = Buffer.concat(bodies.map(message));
        let at = 0;
        for (let turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          guard.feed(stream.subarray(at, at + size));
          at += size;
        }
        const first = bodies.map((body) => body + 4).find((length) => length > 200);
        expect(seen).toEqual(first === undefined ? [] : [first]);
        expect(guard.tripped).toBe(first);
        expect(guard.received).toBe(stream.length);
      },
    ),
  );
});

it("counts a batch from its beginning, and tells once", () => {
  const seen: number[] = [];
  const guard = new MessageGuard({ message: 100, batch: 150 }, (length) => seen.push(length));
  guard.feed(message(80));
  guard.begin();
  guard.feed(message(80));
  expect(seen).toEqual([]);
  guard.feed(message(80));
  guard.feed(message(80));
  expect(seen).toEqual([170]);
});

it("knows the length of a gigabyte before more than five bytes of it are there", () => {
  const seen: number[] = [];
  const guard = new MessageGuard({ message: 1000, batch: 4000 }, (length) => seen.push(length));
  const header = Buffer.from("D0000");
  header.writeUInt32BE(1_000_000_004, 1);
  guard.feed(header);
  expect(seen).toEqual([1_000_000_004]);
});
