import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { embeddedCommand } from "../../src/engines/embedded.ts";
import { demoService } from "../fakes/demo-service.ts";
import type { RuntimePoint, RuntimeSubject } from "./runtime-subject.ts";

const OBEYS = "the engine cannot be told to misbehave";
const SILENT = "the engine writes nothing while it serves";

/** What a real engine, which does nothing on request, cannot show; the fake one shows it for the same runtime. */
export const NOT_SHOWN_BY_REAL_ENGINES: Readonly<Partial<Record<RuntimePoint, string>>> = {
  "exit code and last words": OBEYS,
  "force at the deadline": OBEYS,
  "a shorter deadline hurries": OBEYS,
  "lines bounded": OBEYS,
  "secrets not inherited": OBEYS,
  "grandchildren gone after a stop": OBEYS,
  "grandchildren gone after a kill": OBEYS,
  "an adopted engine's end is noticed": OBEYS,
  "adopted twice": OBEYS,
};

/** Processes of this machine with the real embedded engine and the demo model. */
export const subject: RuntimeSubject = {
  name: "process, embedded engine",
  make: (stateFolder, adoptionGrace) => createProcessRuntime({ stateFolder, adoptionGrace }),
  async launch(runtime, service) {
    const planned = demoService(service);
    const address = await runtime.allocate(service, { socket: true });
    if (address.kind === "url") throw new Error("The embedded engine listens on this machine.");
    const command = embeddedCommand(planned, address);
    return { service, command, environment: {}, address, loadTimeout: planned.loadTimeout, digest: "demo" };
  },
  NOT_SUPPORTED: { ...NOT_SHOWN_BY_REAL_ENGINES, "lines as they come": SILENT },
};
