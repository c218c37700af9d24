import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import type { RouteRules } from "../../src/plan/plan.ts";
import { lookInto } from "../fakes/fake-backends.ts";
import { GatewayLedger, NOTHING_HELD } from "../fakes/gateway-ledger.ts";
import { chatBody, until } from "../fakes/gateway-under-test.ts";

const CHAT = "/v1/chat/completions";

/** Sends a request whose client leaves when the returned function is called. */
function leaving(url: string, body: unknown): { leave: () => void; gone: Promise<unknown> } {
  const client = new AbortController();
  const gone = fetch(url + CHAT, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: client.signal,
  })
    .then(async (answer) => answer.text())
    .catch(() => undefined);
  return { leave: () => client.abort(), gone };
}

const rules = (more: Partial<RouteRules>): RouteRules => ({
  route: "oracle",
  strategy: "ordered",
  sticky: "none",
  retries: 2,
  continue: true,
  timeouts: { firstByte: 60_000, idle: 60_000, total: 60_000 },
  candidates: [],
  ...more,
});

const HEDGED = {
  name: "oracle",
  services: ["a", "b"],
  rules: rules({
    hedge: { after: 100 },
    candidates: [
      { service: "a", weight: 1 },
      { service: "b", weight: 1 },
    ],
  }),
};

it.each(["admit", "choose"] as const)(
  "a client that leaves while %s still thinks takes nothing along",
  async (part) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    const ledger = new GatewayLedger({ [part]: () => (asked++, promise) });
    await using node = await ledger.start();
    const client = leaving(node.url, chatBody("x"));
    await until(() => asked === 1);
    client.leave();
    await client.gone;
    await until(() => ledger.records.length === 1);
    resolve();
    await until(() => ledger.admitted === 1);
    await sleep(20);
    expect(ledger.held()).toEqual(NOTHING_HELD);
    expect(ledger.begun).toBe(0);
    expect(ledger.settled).toEqual([0]);
    expect(ledger.records).toMatchObject([{ outcome: "abandoned", attempts: 0, status: 499 }]);
    expect((await lookInto(node.backends, "a")).requests).toBe(0);
  },
);

it("the end of the node while the key still thinks is told, and the key gets its own back", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const ledger = new GatewayLedger({ admit: () => (asked++, promise) });
  await using node = await ledger.start();
  const answer = node.chat("x");
  await until(() => asked === 1);
  const closed = node.gateway.close(0);
  expect((await answer).status).toBe(503);
  resolve();
  await closed;
  await until(() => ledger.settled.length === 1);
  expect(ledger.held()).toEqual(NOTHING_HELD);
  expect(ledger.records).toMatchObject([{ status: 503, outcome: "refused", error: "node_stopping" }]);
});

it("a client that leaves the queue leaves no place taken, and its record says how long it waited", async () => {
  const ledger = new GatewayLedger();
  await using node = await ledger.start([{ name: "a", parallel: 1 }]);
  const first = node.chat("one [slow 1500]");
  await until(() => ledger.begun === 1);
  const second = leaving(node.url, chatBody("two"));
  await until(() => ledger.admitted === 2);
  await sleep(100);
  second.leave();
  await second.gone;
  expect((await first).status).toBe(200);
  await until(() => ledger.records.length === 2);
  expect(ledger.held()).toEqual(NOTHING_HELD);
  const left = ledger.records.find(({ outcome }) => outcome === "abandoned");
  expect(left?.queued).toBeGreaterThan(50);
  expect((await lookInto(node.backends, "a")).requests).toBe(1);
});

it("a hedge that wins is who the answer, the record and the books name; the loser gives everything back", async () => {
  const ledger = new GatewayLedger();
  await using node = await ledger.start(
    [{ name: "a", environment: { FAKE_ORDERS: "[stall]" } }, { name: "b" }],
    [HEDGED],
  );
  const answer = await node.chat("hello", { model: "oracle" });
  expect([answer.status, answer.headers["x-omni-service"], answer.headers["x-omni-attempts"]]).toEqual([
    200,
    "b",
    "2",
  ]);
  await until(() => ledger.records.length === 1);
  expect(ledger.held()).toEqual(NOTHING_HELD);
  expect(ledger.records).toMatchObject([{ service: "b", attempts: 2, outcome: "answered", status: 200 }]);
  expect(ledger.booked).toMatchObject([{ service: "b" }]);
  expect(ledger.ended).toContainEqual({ service: "a", outcome: "unblamed" });
});

it.each([true, false])(
  "a first try that wins over its hedge is who is named (stream: %s)",
  async (stream) => {
    const ledger = new GatewayLedger();
    await using node = await ledger.start(
      [
        { name: "a", environment: { FAKE_ORDERS: "[stall 400]" } },
        { name: "b", environment: { FAKE_ORDERS: "[stall]" } },
      ],
      [HEDGED],
    );
    const answer = await node.chat("hello", { model: "oracle", stream });
    expect([answer.status, answer.headers["x-omni-service"]]).toEqual([200, "a"]);
    await until(() => ledger.records.length === 1);
    expect(ledger.held()).toEqual(NOTHING_HELD);
    expect(ledger.records).toMatchObject([{ service: "a", attempts: 2, outcome: "answered" }]);
    expect(ledger.booked).toMatchObject([{ service: "a" }]);
  },
);

it("when both halves of a hedge fail, the client is told once", async () => {
  const ledger = new GatewayLedger();
  const dies = { FAKE_ORDERS: "[stall 300][500]" };
  await using node = await ledger.start(
    [
      { name: "a", environment: dies },
      { name: "b", environment: dies },
    ],
    [HEDGED],
  );
  const answer = await node.chat("hello", { model: "oracle" });
  expect(answer.status).toBe(500);
  await until(() => ledger.records.length === 1);
  expect(ledger.held()).toEqual(NOTHING_HELD);
  expect(ledger.records[0]).toMatchObject({ status: 500, attempts: 2 });
});

it("the end of the node ends streams, waits and continuations, and nothing stays held", async () => {
  const ledger = new GatewayLedger();
  await using node = await ledger.start([
    { name: "a", parallel: 2 },
    { name: "b", start: false },
  ]);
  const streams = ["one two three [stall-after 2]", "one two three [stall-after 2]"].map((text) =>
    node.chat(text, { stream: true }),
  );
  await until(() => ledger.begun === 2);
  const queued = node.chat("three");
  const loading = node.chat("four", { model: "b" });
  await until(() => ledger.admitted === 4);
  await sleep(50);
  await node.gateway.close(200);
  const answers = await Promise.all([...streams, queued, loading]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 503, 503]);
  for (const { text } of answers) expect(text.match(/node_stopping/g)).toHaveLength(1);
  expect(ledger.held()).toEqual(NOTHING_HELD);
  expect(ledger.records.map(({ outcome }) => outcome).toSorted()).toEqual([
    "cut",
    "cut",
    "refused",
    "refused",
  ]);
});
