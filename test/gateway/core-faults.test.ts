import { expect, it } from "vitest";

import { createRouter } from "../../src/gateway/routing/create-router.ts";
import type { Router } from "../../src/gateway/routing/router.ts";
import { GatewayLedger, NOTHING_HELD } from "../fakes/gateway-ledger.ts";
import type { GatewayUnderTest } from "../fakes/gateway-under-test.ts";
import { startGateway, until } from "../fakes/gateway-under-test.ts";

const codeOf = (text: string): unknown => JSON.parse(text).error.code;
const fails = (): never => {
  throw new Error("a fault of the node's own");
};

it.each(["choose", "began"] as const)(
  "a router that throws in %s costs one request, told as 500",
  async (part) => {
    const ledger = new GatewayLedger();
    let node: GatewayUnderTest | undefined;
    let throws = true;
    const real = (): Router => createRouter({ backends: node?.backends ?? fails() });
    const router: Router = {
      choose: (...args) => (throws && part === "choose" ? fails() : real().choose(...args)),
      began: (...args) => (throws && part === "began" ? fails() : real().began(...args)),
    };
    node = await ledger.start([{ name: "a" }], [], { router });
    await using started = node;
    const answer = await started.chat("x");
    expect([answer.status, codeOf(answer.text)]).toEqual([500, "internal_error"]);
    await until(() => ledger.records.length === 1);
    expect(ledger.held()).toEqual(NOTHING_HELD);
    expect(ledger.records).toMatchObject([{ status: 500, error: "internal_error" }]);
    throws = false;
    expect((await started.chat("x")).status).toBe(200);
  },
);

it.each([true, false])(
  "what goes wrong over an answer ends the request and blames no engine (stream: %s)",
  async (stream) => {
    const ledger = new GatewayLedger();
    await using node = await ledger.start([{ name: "a" }], [], {
      keys: {
        open: false,
        identify: () => ({ key: "me", admin: true, upstream: true, priority: 5 }),
        admit: () => ({ settle: (tokens) => void ledger.settled.push(tokens) }),
        limitHeaders: fails,
      },
    });
    const answer = await node.chat("x", { stream });
    expect([answer.status, codeOf(answer.text)]).toEqual([500, "internal_error"]);
    expect(node.backends.reports).toEqual([]);
    expect(ledger.ended).toEqual([{ service: "a", outcome: stream ? "unblamed" : "answered" }]);
    expect(ledger.settled).toHaveLength(1);
    expect({ ...ledger.held(), keys: 0 }).toEqual(NOTHING_HELD);
    expect(ledger.records).toMatchObject([{ status: 500, error: "internal_error" }]);
  },
);

it("an endpoint that throws ends its own request only", async () => {
  await using node = await startGateway([{ name: "a" }], [], {
    endpoints: () => ({ "/x": { GET: fails }, "/y": { GET: (call) => (call.res.write("part"), fails()) } }),
  });
  const answer = await node.get("/x");
  expect([answer.status, codeOf(answer.text)]).toEqual([500, "internal_error"]);
  await expect(node.get("/y")).rejects.toThrow("other side closed");
  expect((await node.get("/healthz")).status).toBe(200);
});
