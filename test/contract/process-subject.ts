import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { fakeLaunch, fakeService } from "../fakes/fake-driver.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

/** Processes of this machine with an engine that misbehaves as told. */
export const subject: RuntimeSubject = {
  name: "process",
  make: (stateFolder, adoptionGrace) => createProcessRuntime({ stateFolder, adoptionGrace }),
  launch: async (runtime, service, behaviour) =>
    fakeLaunch(fakeService(service, behaviour), await runtime.allocate(service, { socket: true })),
  NOT_SUPPORTED: process.platform === "linux" ? {} : { "processes are named": "needs /proc" },
};
