import type { EngineSettings, Wishes } from "./memory-model.ts";

/** The wishes that are settings of an engine, without those that are not. */
export function wishedSettings(wishes: Wishes): Partial<EngineSettings> {
  const { resident: _resident, declared: _declared, hostExperts: _hostExperts, ...settings } = wishes;
  return settings;
}
