import { setTimeout as sleep } from "node:timers/promises";
import { startGateway } from "../test/mcp/harness/start.ts";
import type { Look } from "../test/mcp/harness/main.ts";
import { openAndAbandon } from "../test/mcp/harness/abandon.ts";
import { join } from "node:path";

/** How long an abandoned session may be idle, ms. */
const IDLE = 2000;
const FIXTURE = join(import.meta.dirname, "../test/mcp/fixture/main.ts");

const words = (when: string, look: Look): string =>
  `${when.padEnd(18)} ${String(look.sessions).padStart(6)} sessions ${String(look.pids.length).padStart(4)} children ` +
  `${String(look.descriptors).padStart(6)} descriptors ${(look.heap / 2 ** 20).toFixed(1).padStart(7)} MiB heap ` +
  `${(look.resident / 2 ** 20).toFixed(0).padStart(6)} MiB resident`;

/** Opens so many sessions of the older era, leaves them alone, and says what the gateway holds before and after. */
export async function abandonSessions(count: number): Promise<readonly string[]> {
  const command = [process.execPath, FIXTURE, "--stdio"];
  const gateway = await startGateway({ behind: { command }, sessionIdle: IDLE, sessions: count + 100 });
  try {
    // A first hundred, so that what is made once is there before.
    await openAndAbandon(gateway.url, 100);
    await sleep(3 * IDLE);
    const before = await gateway.look(true);
    await openAndAbandon(gateway.url, count);
    const open = await gateway.look(true);
    await sleep(3 * IDLE);
    const after = await gateway.look(true);
    return [words("before", before), words(`${count} opened`, open), words("abandoned", after)];
  } finally {
    await gateway.close();
  }
}
