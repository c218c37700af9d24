import { serveMcpStdio } from "../../../src/mcp/transports/serve-stdio.ts";
import { openHub } from "./open-hub.ts";
import type { Settings } from "./open-hub.ts";

/** A gateway over standard input and output, for one client: `node stdio-main.ts SETTINGS` (JSON). */
const settings: Settings = JSON.parse(process.argv[2] ?? "{}");
const hub = openHub(settings);
const caller = { key: "local", admin: true, upstream: true, priority: 5 };
const served = serveMcpStdio({
  hub,
  asker: { caller, channel: "stdio" },
  version: "0.0.0",
  input: process.stdin,
  output: process.stdout,
  maxMessage: 10 * 1024 * 1024,
});
await served.done;
await hub.close();
process.exit();
