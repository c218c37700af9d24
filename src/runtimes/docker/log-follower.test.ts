import fc from "fast-check";
import { expect, test } from "vitest";
import { LogFollower } from "./log-follower.ts";
import type { OpenLog } from "./log-follower.ts";

const START = Date.parse("2026-11-22T02:14:00Z");

/** A message as Docker frames it; messages of one moment have one time. */
function frame(moment: number, text: string, stream = 1): Buffer {
  const time = new Date(START + moment * 1000).toISOString().replace(/\.\d+Z$/, "");
  const payload = Buffer.from(`${time}.000000007Z ${text}`);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function* pieces(bytes: Buffer, sizes: readonly number[], breaks: boolean): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  if (breaks) throw new Error("the connection broke");
  yield bytes.subarray(at);
}

test("each line is told once, wherever the stream is cut and however often the connection breaks", async () => {
  const moments = fc.array(fc.nat({ max: 3 }), { maxLength: 12 });
  const cuts = fc.array(fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 6 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(moments, cuts, async (steps, breaks) => {
      let moment = 0;
      const messages = steps.map((step, index) => ({ moment: (moment += step), text: `line ${index}` }));
      const over = new AbortController();
      const lines: string[] = [];
      let opened = 0;
      const open: OpenLog = ({ since }) => {
        const from = since === undefined ? -Infinity : Number(since.split(".")[0]) * 1000;
        const kept = messages.filter((message) => START + message.moment * 1000 >= from);
        const sizes = breaks[opened++];
        if (sizes === undefined) over.abort();
        const bytes = Buffer.concat(kept.map(({ moment, text }) => frame(moment, `${text}\n`)));
        return Promise.resolve(pieces(bytes, sizes ?? [3, 11], sizes !== undefined));
      };
      const follower = new LogFollower(open, (line) => lines.push(line), undefined, 0);
      await follower.follow(over.signal, new AbortController().signal);
      expect(lines).toEqual(messages.map(({ text }) => text));
    }),
    { numRuns: 60 },
  );
});

test("a line that Docker cut in several messages is one; both streams keep their own", async () => {
  const over = AbortSignal.abort();
  const lines: string[] = [];
  const bytes = Buffer.concat([
    frame(1, "one half, "),
    frame(1, "an error\n", 2),
    frame(2, "the other half\n"),
    frame(3, "without an end"),
  ]);
  const follower = new LogFollower(
    () => Promise.resolve(pieces(bytes, [], false)),
    (line) => lines.push(line),
  );
  await follower.follow(over, new AbortController().signal);
  expect(lines).toEqual(["an error", "one half, the other half", "without an end"]);
});

test("the newest lines are asked for at first, and after that only what is new", async () => {
  const over = new AbortController();
  const asked: Parameters<OpenLog>[0][] = [];
  const open: OpenLog = (from) => {
    asked.push(from);
    if (asked.length === 2) over.abort();
    return Promise.resolve(pieces(frame(4, "a line\n"), [], false));
  };
  await new LogFollower(open, () => {}, 200, 0).follow(over.signal, new AbortController().signal);
  expect(asked).toEqual([
    { tail: 200 },
    { since: "1795313644.000000007" },
    { since: "1795313644.000000007" },
  ]);
});

test("what is no stream of frames is no line", async () => {
  const lines: string[] = [];
  const html = Buffer.from("<html>a proxy that is not Docker</html>");
  const follower = new LogFollower(
    () => Promise.resolve(pieces(html, [], false)),
    (line) => lines.push(line),
  );
  await follower.follow(AbortSignal.abort(), new AbortController().signal);
  expect(lines).toEqual([]);
});
