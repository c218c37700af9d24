import { readdirSync } from "node:fs";
import { openGateway } from "./open-gateway.ts";
import type { Settings } from "./open-hub.ts";

/** What the gateway's process holds at a moment. */
export interface Look {
  /** Processor time since its start, microseconds. */
  readonly cpu: number;
  /** Bytes; after a collection where one was wished. */
  readonly heap: number;
  readonly resident: number;
  /** File descriptors; 0 where the machine does not tell. */
  readonly descriptors: number;
  readonly sessions: number;
  /** Processes of the servers behind it. */
  readonly pids: readonly number[];
}

/**
 * A gateway in a process of its own: `node main.ts SETTINGS` (JSON) tells its parent `{ url }`, answers each message with
 * a `Look`, and ends with its parent.
 */
const settings: Settings = JSON.parse(process.argv[2] ?? "{}");
const gateway = await openGateway(settings);
process.send?.({ url: gateway.url });

function look(collected: boolean): Look {
  if (collected) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    cpu: user + system,
    heap: heapUsed,
    resident: rss,
    descriptors: process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0,
    sessions: gateway.sessions(),
    pids: gateway.hub.servers().flatMap((server) => server.pids ?? []),
  };
}

process.on("message", (wish) => process.send?.(look(wish === "collected")));
process.once("disconnect", () => {
  void gateway.close().finally(() => process.exit());
});
