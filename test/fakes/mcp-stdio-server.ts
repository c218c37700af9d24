import { createInterface } from "node:readline";

import { FakeMcp, membersOf } from "./mcp-server.ts";
import type { FakeMcpSettings } from "./mcp-server.ts";

/** A fake MCP server over stdio; its one argument is its settings as JSON. */
const settings: FakeMcpSettings = membersOf(JSON.parse(process.argv[2] ?? "{}"));

if (settings.complaint !== undefined) process.stderr.write(settings.complaint);
if (settings.greeting !== undefined) process.stdout.write(settings.greeting);
if (settings.flood !== undefined) process.stdout.write(`${"x".repeat(999)}\n`.repeat(settings.flood / 1000));
if (settings.exit !== undefined) process.exit(settings.exit);
if (settings.stubborn === true) {
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
}

const server = new FakeMcp(settings);
const write = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
server.broadcast = write;
for await (const line of createInterface({ input: process.stdin })) {
  void server.handle(membersOf(JSON.parse(line)), write);
}
// A call that still sleeps does not keep it.
if (settings.stubborn !== true) process.exit(0);
