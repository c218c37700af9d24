import { createUpstream } from "../../../src/mcp/upstream/upstream.ts";

/** A node with one upstream server that has a child of its own; prints both processes and waits for its end. */
const command: string[] = JSON.parse(process.argv[2] ?? "[]");
const provider = createUpstream({
  name: "fake",
  version: "0.0.0",
  events: {
    record: (event) => ({ ...event, seq: 1, time: 0 }),
    after: () => [],
    latest: () => [],
    subscribe: () => () => {},
  },
  initTimeout: 20_000,
  timeout: 20_000,
  instances: 1,
  maxMessage: 1024 * 1024,
  kind: "stdio",
  command,
  environment: {},
});
const answer = await provider.callTool(
  "leak",
  {},
  {
    caller: { key: "local", admin: true, upstream: true, priority: 5 },
    request: "r1",
    signal: new AbortController().signal,
    capabilities: {},
  },
);
process.stdout.write(`${JSON.stringify({ answer, pids: provider.view().pids })}\n`);
setInterval(() => {}, 1000);
