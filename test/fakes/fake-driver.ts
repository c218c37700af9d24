import { fileURLToPath } from "node:url";
import { embedded } from "../../src/engines/embedded.ts";
import type { EngineDriver } from "../../src/engines/engine.ts";
import type { Plan, PlannedService, RestartPolicy } from "../../src/plan/plan.ts";
import type { Behaviour } from "./fake-child.ts";

const CHILD = fileURLToPath(new URL("fake-child.ts", import.meta.url));

/** Starts `fake-child.ts`, behaving as the service's extra arguments say; reads it like the embedded engine. */
export const fakeDriver: EngineDriver = {
  ...embedded,
  name: "fake",
  launch: (service, address) => ({
    service: service.name,
    command: [
      process.execPath,
      CHILD,
      ...(address.kind === "unix"
        ? ["--socket", address.path]
        : ["--host", address.host, "--port", String(address.port)]),
      ...service.extraArguments,
    ],
    environment: {},
    address,
    loadTimeout: service.loadTimeout,
  }),
};

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
