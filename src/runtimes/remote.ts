import { randomUUID } from "node:crypto";
import { OmniError } from "../core/index.ts";
import type { LaunchSpec, ProcessExit } from "../engines/engine.ts";
import type { Runtime, Unit } from "./runtime.ts";

const ENDED: ProcessExit = { code: 0, signal: null };

/**
 * Servers elsewhere: nothing is started, so nothing survives and nothing is ended. A unit stands for the permission to
 * use the address, until it is stopped.
 */
export function createRemoteRuntime(): Runtime {
  return {
    name: "remote",
    survivors: () => Promise.resolve([]),
    allocate: (service) =>
      Promise.reject(
        new OmniError("engine.not-started", `${service} runs elsewhere, where Omni gives it no address.`, {
          hint: "Give the service's engine a url.",
        }),
      ),
    start: (launch) => Promise.resolve(remoteUnit(launch)),
    close: () => Promise.resolve(),
  };
}

function remoteUnit({ service, address, digest }: LaunchSpec): Unit {
  const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>();
  return {
    id: randomUUID(),
    service,
    address,
    digest,
    startedAt: Date.now(),
    adopted: false,
    exited,
    lastLines: () => [],
    onLine: () => () => {},
    processes: () => Promise.resolve([]),
    stop() {
      resolve(ENDED);
      return exited;
    },
  };
}
