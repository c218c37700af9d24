import { fileURLToPath } from "node:url";
import { z } from "zod";
import { embedded } from "../../src/engines/embedded.ts";
import type { Address } from "../../src/core/index.ts";
import type { EngineDriver, LaunchSpec } from "../../src/engines/engine.ts";
import type { Plan, PlannedService, RestartPolicy } from "../../src/plan/plan.ts";
import type { Behaviour } from "./fake-child.ts";

const CHILD = fileURLToPath(new URL("fake-child.ts", import.meta.url));

const LOAD = z.object({ running: z.number(), waiting: z.number(), progress: z.number() });

/** Reads `fake-child.ts`: its health and exits like the embedded engine's, its work, figures and lines as written here. */
export const fakeDriver: EngineDriver = {
  kind: "fake",
  title: "The fake engine",
  listensOnSocket: true,
  healthPath: "/health",
  readHealth: (status, body) => embedded.readHealth(status, body),
  probe: {
    request: () => ({ method: "POST", path: "/probe", body: "{}" }),
    fault: (status, body) => (body.includes("token") ? undefined : `it answered ${status} with ${body}`),
  },
  load: {
    request: { method: "GET", path: "/load" },
    read: (body) => LOAD.parse(JSON.parse(body)),
  },
  sleep: {
    sleep: { method: "POST", path: "/sleep" },
    wake: { method: "POST", path: "/wake" },
    arguments: ["--behave"],
    environment: {},
  },
  classifyExit: (exit, lines) => embedded.classifyExit(exit, lines),
  classifyLine: (line) =>
    line.includes("EngineDeadError")
      ? { code: "engine.core-dead", message: "Its core died.", hint: "Look at the log.", recoverable: true }
      : undefined,
  readTook: (lines) => ({
    devices: lines.flatMap((line) => {
      const bytes = /^weights (\d+)$/.exec(line)?.[1];
      return bytes === undefined ? [] : [{ device: "CUDA0", weights: Number(bytes) }];
    }),
  }),
  onProcessorInstead: (lines) => lines.find((line) => line.includes("no usable GPU")),
  loadTime: () => 200,
};

/** Starts `fake-child.ts`, behaving as the service's extra arguments say. */
export const fakeLaunch = (service: PlannedService, address: Address): LaunchSpec => ({
  service: service.name,
  command: [process.execPath, CHILD, ...listenArguments(address), ...service.extraArguments],
  environment: {},
  address,
  loadTimeout: service.loadTimeout,
  digest: `fake ${service.extraArguments.join(" ")}`,
});

function listenArguments(address: Address): readonly string[] {
  switch (address.kind) {
    case "unix":
      return ["--socket", address.path];
    case "tcp":
      return ["--host", address.host, "--port", String(address.port)];
    case "url":
      throw new Error("A fake engine listens on this machine.");
  }
}

/** Generous in number, short in time: tests restart often and wait little. */
export const QUICK_RESTART: RestartPolicy = {
  restarts: 3,
  window: 600_000,
  backoffMin: 20,
  backoffMax: 100,
};

export function fakeService(
  name: string,
  behaviour: Behaviour = {},
  changes: Partial<PlannedService> = {},
): PlannedService {
  return {
    name,
    engine: { name: "fake", version: "1" },
    model: { name: "fake-model", path: "/nowhere/fake.gguf", sizeBytes: 1 },
    devices: ["cpu"],
    contextTokens: 2048,
    parallel: 2,
    queueLimit: 8,
    threads: 1,
    memory: [],
    restart: QUICK_RESTART,
    loadTimeout: 30_000,
    extraArguments: ["--behave", JSON.stringify(behaviour)],
    ...changes,
  };
}

export const fakePlan = (services: readonly PlannedService[]): Plan => ({
  gateway: { host: "127.0.0.1", port: 0 },
  services,
  routes: services.map(({ name }) => ({ name, services: [name] })),
  rejected: [],
  diagnostics: [],
});
