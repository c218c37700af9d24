import { request } from "undici";
import { expect, it } from "vitest";

import { startGateway, until } from "../fakes/gateway-under-test.ts";

const happening = (message: string) => ({ severity: "info", kind: "test.happened", message }) as const;
const seqs = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));

/** Follows the stream and collects what comes. */
async function follow(url: string, headers: Record<string, string> = {}, query = "") {
  const answer = await request(`${url}/api/events/stream${query}`, { headers });
  const got = {
    text: "",
    ended: false,
    type: answer.headers["content-type"],
    stop: () => answer.body.destroy(),
  };
  answer.body
    .on("error", () => {})
    .on("data", (chunk: Buffer) => (got.text += chunk.toString()))
    .on("end", () => (got.ended = true));
  return got;
}

it("lists events after a seq, the newest without one, within a limit", async () => {
  await using node = await startGateway([]);
  for (let i = 1; i <= 30; i++) node.events.record(happening(`number ${i}`));
  const read = async (query: string): Promise<{ seqs: number[]; last: number }> => {
    const { events, last } = JSON.parse((await node.get(`/api/events${query}`)).text);
    return { seqs: events.map((event: { seq: number }) => event.seq), last };
  };
  expect(await read("?limit=2")).toEqual({ seqs: [29, 30], last: 30 });
  expect(await read("?after=3&limit=2")).toEqual({ seqs: [4, 5], last: 5 });
  expect(await read("?after=30")).toEqual({ seqs: [], last: 30 });
  for (const bad of ["?limit=0", "?limit=x", "?limit=5000", "?after=-1"]) {
    expect((await node.get(`/api/events${bad}`)).status).toBe(400);
  }
});

it("follows from now on, and resumes after the last event that a client saw", async () => {
  await using node = await startGateway([]);
  const idle = node.events.listeners;
  for (let i = 1; i <= 3; i++) node.events.record(happening(`number ${i}`));
  const fresh = await follow(node.url);
  const resumed = await follow(node.url, { "last-event-id": "1" });
  const asked = await follow(node.url, {}, "?after=0");
  await until(() => node.events.listeners === idle + 3);
  node.events.record(happening("number 4"));
  await until(
    () => seqs(fresh.text).length === 1 && seqs(resumed.text).length === 3 && seqs(asked.text).length === 4,
  );
  expect(seqs(fresh.text)).toEqual([4]);
  expect(seqs(resumed.text)).toEqual([2, 3, 4]);
  expect(seqs(asked.text)).toEqual([1, 2, 3, 4]);
  expect(fresh.type).toContain("text/event-stream");
  expect(fresh.text).toContain('"message":"number 4"');
  for (const stream of [fresh, resumed, asked]) stream.stop();
  await until(() => node.events.listeners === idle);
});

it("catches up over more events than one batch, in order and without doubles", async () => {
  await using node = await startGateway([]);
  for (let i = 1; i <= 3_000; i++) node.events.record(happening("x".repeat(500)));
  const all = await follow(node.url, {}, "?after=0");
  await until(() => seqs(all.text).length >= 3_000);
  expect(seqs(all.text)).toEqual(Array.from({ length: 3_000 }, (_, i) => i + 1));
  all.stop();
});

it("beats while nothing happens, and ends when the gateway closes", async () => {
  await using node = await startGateway([], [], { limits: { heartbeatTime: 50 } });
  const stream = await follow(node.url);
  await until(() => stream.text.split(": still here").length > 3);
  await node.gateway.close(5_000);
  await until(() => stream.ended);
  expect(node.events.listeners).toBe(0);
});

it("what happens while the gateway closes is told to nobody, and harms nobody", async () => {
  await using node = await startGateway([]);
  const idle = node.events.listeners;
  const stream = await follow(node.url);
  await until(() => node.events.listeners === idle + 1);
  const closed = node.gateway.close(5_000);
  for (let i = 1; i <= 50; i++) node.events.record(happening(`late ${i}`));
  await closed;
  await until(() => stream.ended);
  expect(stream.text).not.toContain("late");
});
