import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { isAlive } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import { demoService } from "../fakes/demo-service.ts";
import type { Supervised } from "../fakes/supervised.ts";
import { supervise } from "../fakes/supervised.ts";

let node: Supervised;
const view = () => node.supervisor.services()[0];

afterEach(() => node.end());

test("the embedded engine killed by SIGKILL is reported and is back", async () => {
  node = supervise([demoService("oracle")]);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(true);
  const pid = view()?.pid ?? 0;
  expect(isAlive(pid)).toBe(true);

  process.kill(pid, "SIGKILL");
  node.supervisor.reportBroken("oracle", "connection reset");
  expect(node.supervisor.address("oracle")).toBeUndefined();
  expect(await node.ready("oracle")).toBe(true);
  expect(view()).toMatchObject({ state: "ready", restarts: 1 });
  expect(view()?.pid).not.toBe(pid);
  expect(await ask(node.supervisor.address("oracle"), "/v1/models")).toBe(200);
  const kinds = node.events.kinds().filter((kind) => kind !== "service.loading");
  expect(kinds).toEqual([
    "service.starting",
    "service.ready",
    "service.crashed",
    "service.restarting",
    "service.starting",
    "service.ready",
  ]);

  const second = view()?.pid ?? 0;
  await node.supervisor.stop(20_000);
  expect(isAlive(second)).toBe(false);
  expect(node.events.kinds().at(-1)).toBe("service.stopped");
});

test("the embedded engine with a file that is no model fails once, for good, with the reason", async () => {
  const service = demoService("oracle");
  const path = fileURLToPath(import.meta.url);
  node = supervise([{ ...service, model: { ...service.model, path } }]);
  await node.supervisor.start();
  expect(await node.ready("oracle")).toBe(false);
  expect(view()).toMatchObject({ state: "failed", restarts: 0 });
  expect(view()?.reason).toContain(path);
  expect(node.events.kinds().at(-1)).toBe("service.failed");
  expect(node.supervisor.diagnostics()).toMatchObject([{ code: "model.not-gguf", path: "services.oracle" }]);
});
