import { embedded, embeddedCommand } from "../../src/engines/embedded.ts";
import type { EngineDriver } from "../../src/engines/engine.ts";
import type { PlannedService } from "../../src/plan/plan.ts";
import type { Launcher, Prepared } from "../../src/supervisor/launcher.ts";
import { fakeDriver, fakeLaunch } from "./fake-driver.ts";

/** Makes launches of fake services, and of the embedded engine; anything else nobody here can start. */
export const fakeLauncher: Launcher = {
  prepare: (service) => Promise.resolve(prepared(service)),
};

/** Engines of this name are fake ones too, so that a chain of engines can be tried. */
const OTHER: EngineDriver = { ...fakeDriver, kind: "other-fake" };

export const fakeDriverOf = (kind: string): EngineDriver | undefined =>
  [fakeDriver, OTHER, embedded].find((driver) => driver.kind === kind);

function prepared(service: PlannedService): Prepared {
  const { name: kind } = service.engine;
  const about = { kind, runtime: "process", target: { servedName: service.model.name } } as const;
  if (kind !== "embedded") {
    const { digest } = fakeLaunch(service, { kind: "tcp", host: "127.0.0.1", port: 0 });
    return { ...about, digest, launch: (address) => fakeLaunch(service, address) };
  }
  const digest = `embedded ${service.model.path} ${service.contextTokens}`;
  return {
    ...about,
    digest,
    launch: (address) => {
      if (address.kind === "url") throw new Error("The embedded engine listens on this machine.");
      return { ...fakeLaunch(service, address), command: embeddedCommand(service, address), digest };
    },
  };
}
