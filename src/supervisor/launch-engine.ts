import { OmniError } from "../core/index.ts";
import type { EngineDriver } from "../engines/engine.ts";
import type { PlannedService } from "../plan/plan.ts";
import type { Runtime, StartProgress, Unit } from "../runtimes/runtime.ts";
import type { Launcher, Prepared } from "./launcher.ts";

export interface LaunchSurroundings {
  readonly launcher: Launcher;
  readonly driverOf: (kind: string) => EngineDriver | undefined;
  readonly runtimeOf: (name: Runtime["name"]) => Runtime;
}

/** An engine that was started, and who knows how to watch it. */
export interface LaunchedEngine {
  readonly unit: Unit;
  readonly driver: EngineDriver;
  readonly prepared: Prepared;
}

/**
 * Starts a service's engine at a place of its own. Each start prepares anew, so that a secret or file that has been mended
 * is seen. Throws what launcher and runtime throw, and `engine.not-started` when nobody wants it any more.
 */
export async function launchEngine(
  service: PlannedService,
  around: LaunchSurroundings,
  start: { readonly isWanted: () => boolean; readonly onProgress: (progress: StartProgress) => void },
): Promise<LaunchedEngine> {
  const checkWanted = (): void => {
    if (start.isWanted()) return;
    throw new OmniError("engine.not-started", `${service.name} was stopped before it was started.`);
  };
  const prepared = await around.launcher.prepare(service);
  const driver = driverFor(service.name, prepared.kind, around);
  const runtime = around.runtimeOf(prepared.runtime);
  checkWanted();
  const { port } = prepared;
  const wants = { socket: driver.listensOnSocket, ...(port === undefined ? {} : { port }) };
  const address = prepared.address ?? (await runtime.allocate(service.name, wants));
  checkWanted();
  const unit = await runtime.start(prepared.launch(address), start.onProgress);
  return { unit, driver, prepared };
}

/** The driver of a kind of engine. Throws OmniError `engine.not-run-here` where there is none. */
export function driverFor(service: string, kind: string, { driverOf }: LaunchSurroundings): EngineDriver {
  const driver = driverOf(kind);
  if (driver !== undefined) return driver;
  throw new OmniError(
    "engine.not-run-here",
    `services.${service}: nothing here knows how to watch the engine ${kind}.`,
  );
}
