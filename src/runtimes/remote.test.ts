import { expect, test } from "vitest";
import type { LaunchSpec } from "../engines/engine.ts";
import { createRemoteRuntime } from "./remote.ts";

const LAUNCH: LaunchSpec = {
  service: "cloud",
  command: ["none"],
  environment: {},
  address: { kind: "url", origin: "https://api.example.com", base: "/v1", headers: { authorization: "key" } },
  loadTimeout: 1000,
  digest: "d",
};

test("a server elsewhere runs at its address until it is stopped, and is no process", async () => {
  const runtime = createRemoteRuntime();
  const unit = await runtime.start(LAUNCH);
  expect(unit).toMatchObject({ service: "cloud", digest: "d", adopted: false, address: LAUNCH.address });
  expect(unit.pid).toBeUndefined();
  expect(await unit.processes()).toEqual([]);
  let ended = false;
  void unit.exited.then(() => (ended = true));
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  expect(await unit.stop(0)).toEqual({ code: 0, signal: null });
  expect(await unit.exited).toEqual({ code: 0, signal: null });
  expect(await runtime.survivors()).toEqual([]);
});

test("it is given no address here", async () => {
  await expect(createRemoteRuntime().allocate("cloud", { socket: false })).rejects.toMatchObject({
    code: "engine.not-started",
  });
});
