/** The gateway of the benchmark in a process of its own, over one service at the Unix socket given as argument. */
import { keyGateOf } from "../test/fakes/key-gate-of.ts";
import type { EventLog, NodeEvent } from "../src/core/index.ts";
import { createGateway } from "../src/gateway/index.ts";
import type { Backends } from "../src/supervisor/backends.ts";

const path = process.argv[2] ?? "";

const backends: Backends = {
  services: () => [
    {
      name: "stub",
      engine: "stub",
      model: "stub",
      state: "ready",
      restarts: 0,
      contextTokens: 4096,
      parallel: 1,
      since: 0,
    },
  ],
  routes: () => [{ name: "oracle", services: ["stub"] }],
  address: () => ({ kind: "unix", path }),
  acquire: () => ({ address: { kind: "unix", path }, release: () => {} }),
  demand: () => () => {},
  whenReady: () => Promise.resolve(true),
  reportBroken: () => {},
  diagnostics: () => [],
};

let seq = 0;
const events: EventLog = {
  record: (event): NodeEvent => ({ ...event, seq: ++seq, time: Date.now() }),
  after: () => [],
  latest: () => [],
  subscribe: () => () => {},
};

const keys = keyGateOf({ "sk-bench": { limits: { requestsPerMinute: 10_000_000 } } });
const gateway = createGateway({ backends, events, host: "127.0.0.1", port: 0, version: "bench", keys });
const { url } = await gateway.listen();
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: user + system, rss: process.memoryUsage().rss, failures: seq });
});
process.once("disconnect", () => process.exit(0));
process.send?.({ url });
