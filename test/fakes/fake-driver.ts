import { fileURLToPath } from "node:url";
import { embedded } from "../../src/engines/embedded.ts";
import type { Address } from "../../src/core/index.ts";
import type { EngineDriver, LaunchSpec } from "../../src/engines/engine.ts";
import type { Plan, PlannedService, RestartPolicy } from "../../src/plan/plan.ts";
import type { Behaviour } from "./fake-child.ts";

const CHILD = fileURLToPath(new URL("fake-child.ts", import.meta.url));

/** Reads `fake-child.ts` like the embedded engine. */
export const fakeDriver: EngineDriver = { ...embedded, kind: "fake", title: "The fake engine" };

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
