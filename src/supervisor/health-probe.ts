import { messageOf } from "../core/index.ts";
import type { EngineDriver, Health, ProbeTarget } from "../engines/engine.ts";
import type { EngineClient } from "./engine-client.ts";
import type { WorkFault } from "./vital-signs.ts";

/** Asks an engine for its health once; every fault of the connection is an answer too. Never rejects. */
export async function probeHealth(
  client: EngineClient,
  driver: EngineDriver,
  target: ProbeTarget,
  timeout: number,
  signal: AbortSignal,
): Promise<Health> {
  try {
    const path = driver.healthPathOf?.(target) ?? driver.healthPath;
    const { status, body } = await client.ask({ method: "GET", path }, timeout, signal);
    return driver.readHealth(status, body);
  } catch (error) {
    return { state: "unreachable", reason: messageOf(error) };
  }
}

/** Why one request for one token had no good answer; `undefined` when it had one, or the engine has no such probe. */
export async function probeWork(
  client: EngineClient,
  driver: EngineDriver,
  target: ProbeTarget,
  timeout: number,
  signal: AbortSignal,
): Promise<WorkFault | undefined> {
  if (driver.probe === undefined) return undefined;
  try {
    const { status, body } = await client.ask(driver.probe.request(target), timeout, signal);
    const fault = driver.probe.fault(status, body);
    return fault === undefined ? undefined : { kind: "wrong", reason: fault };
  } catch (error) {
    return { kind: "silent", reason: messageOf(error) };
  }
}
