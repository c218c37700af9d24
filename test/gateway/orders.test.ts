import { expect, it } from "vitest";

import type { ServiceControl } from "../../src/supervisor/service-control.ts";
import { startGateway } from "../fakes/gateway-under-test.ts";
import { keyGateOf } from "../fakes/key-gate-of.ts";

it("orders of an operator reach the supervisor, are recorded, and answered with what came of them", async () => {
  const orders: string[] = [];
  const control: ServiceControl = (service, action) => {
    orders.push(`${action} ${service}`);
    return action === "unload" ? { ok: false, message: "it is pinned" } : { ok: true, message: "begun" };
  };
  await using node = await startGateway([{ name: "a" }], [], { control });
  const load = await node.post("/api/services/a/load", {});
  expect([load.status, JSON.parse(load.text)]).toEqual([
    202,
    { service: "a", action: "load", ok: true, message: "begun" },
  ]);
  const unload = await node.post("/api/services/a/unload", {});
  expect([unload.status, JSON.parse(unload.text).message]).toEqual([409, "it is pinned"]);
  expect(orders).toEqual(["load a", "unload a"]);
  expect(node.events.kinds()).toEqual(["service.ordered", "service.ordered"]);
});

it("an unknown service or action is named, with the nearest known one", async () => {
  await using node = await startGateway([{ name: "oracle" }], [], {
    control: () => ({ ok: true, message: "" }),
  });
  const service = await node.post("/api/services/oracel/load", {});
  expect(service.status).toBe(404);
  expect(service.text).toContain('Did you mean \\"oracle\\"?');
  const action = await node.post("/api/services/oracle/explode", {});
  expect(action.status).toBe(404);
  expect(action.text).toContain("step-down");
  expect((await node.post("/api/services/load", {})).status).toBe(404);
  expect((await node.get("/api/services/oracle/load")).status).toBe(405);
});

it("without an operator's interface there is no such path, and a key is asked for as everywhere", async () => {
  await using plain = await startGateway([{ name: "a" }]);
  expect((await plain.post("/api/services/a/load", {})).status).toBe(404);
  await using keyed = await startGateway([{ name: "a" }], [], {
    keys: keyGateOf({ secret: {} }),
    control: () => ({ ok: true, message: "" }),
  });
  expect((await keyed.post("/api/services/a/load", {})).status).toBe(401);
});
