import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAndAbandon } from "../harness/abandon.ts";
import { startGateway } from "../harness/start.ts";
import type { RunningGateway } from "../harness/start.ts";

/** How long a session may be idle here, ms. */
const IDLE = 1000;
const COUNT = 2000;
const FIXTURE = join(import.meta.dirname, "../fixture/main.ts");

let gateway: RunningGateway | undefined;
beforeAll(async () => {
  const command = [process.execPath, FIXTURE, "--stdio"];
  gateway = await startGateway({ behind: { command }, sessionIdle: IDLE, sessions: COUNT + 100 });
});
afterAll(() => gateway?.close());

async function idle(of: RunningGateway) {
  await expect.poll(async () => (await of.look()).sessions, { timeout: 30_000, interval: 250 }).toBe(0);
  return await of.look(true);
}

test("2 000 sessions that clients open and abandon leave no child, no socket and no memory behind", async () => {
  if (gateway === undefined) throw new Error("no gateway");
  // What is made once is there before: the server's process, lists, code.
  await openAndAbandon(gateway.url, 200);
  const before = await idle(gateway);
  await openAndAbandon(gateway.url, COUNT);
  const after = await idle(gateway);
  expect(before.pids).toHaveLength(1);
  expect(after.pids).toEqual(before.pids);
  // Connections of the pool that left come and go, 16 at most.
  expect(after.descriptors - before.descriptors).toBeLessThanOrEqual(16);
  // A session that stayed would be at least 2 kB: 4 MB of all.
  expect(after.heap - before.heap).toBeLessThan(4_000_000);
}, 120_000);
