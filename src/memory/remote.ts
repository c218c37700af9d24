import type { EngineSettings, MemoryModel, MemoryPrediction } from "./memory-model.ts";
import { passiveSettings } from "./passive-settings.ts";
import { NO_MEMORY } from "./terms.ts";

/** An API elsewhere: it takes nothing of this machine. */
export const remote: MemoryModel = {
  predict: (_shape, settings, devices) => nothing(settings, devices.length),
  fit: ({ shape, wishes, devices }) => ({
    fits: true,
    resident: true,
    prediction: nothing(passiveSettings(wishes, shape?.trainedContext), devices.length),
  }),
};

const nothing = (settings: EngineSettings, cards: number): MemoryPrediction => ({
  devices: Array.from({ length: cards }, () => NO_MEMORY),
  host: NO_MEMORY,
  kv: { bytesPerToken: 0, bytes: 0, tokens: 0, concurrency: settings.parallel, type: "none" },
  settings,
});
