import { formatBytes } from "../core/index.ts";
import type {
  DeviceRoom,
  EngineSettings,
  Fit,
  FitRequest,
  MemoryModel,
  MemoryPrediction,
  Wishes,
} from "./memory-model.ts";
import { passiveSettings } from "./passive-settings.ts";
import { deviceMemory } from "./terms.ts";

/**
 * ComfyUI: what a workflow takes is known to its owner only, so it is declared (`takes`). It uses one card; further cards
 * that it is given stay empty. Nothing is guessed from names of workflows.
 */
export const comfyui: MemoryModel = {
  predict: (_shape, settings, devices, wishes) => declared(settings, devices, wishes),
  fit: fitDeclared,
};

function fitDeclared({ wishes, devices, host }: FitRequest): Fit {
  const vram = wishes.declared?.vram;
  const memory = wishes.declared?.memory ?? 0;
  const [card] = devices;
  if (vram === undefined && (card !== undefined || wishes.declared?.memory === undefined))
    return {
      fits: false,
      code: "plan.needs-declaration",
      reason: "what a ComfyUI workflow takes cannot be computed, and nothing declares it",
      hint: "Declare it under the service: takes: { vram: 24GiB }.",
    };
  const prediction = declared(passiveSettings({ contextTokens: 0, parallel: 1, ...wishes }), devices, wishes);
  if (vram !== undefined && vram > 0 && card === undefined)
    return refuse(
      `takes ${formatBytes(vram)} of a card, and none is given`,
      "Name a card.",
      "plan.no-device",
    );
  if (card !== undefined && vram !== undefined && vram > card.free)
    return {
      ...refuse(
        `takes ${formatBytes(vram)} as declared; ${card.name} can give ${formatBytes(Math.max(0, card.free))} of ${formatBytes(card.total)}`,
        "Declare what it really takes, start it with --lowvram, or use a larger card.",
        "does-not-fit",
      ),
      prediction,
    };
  if (memory > host.free)
    return {
      ...refuse(
        `takes ${formatBytes(memory)} of main memory as declared; ${formatBytes(Math.max(0, host.free))} are free`,
        "Declare what it really takes, or free main memory.",
        "does-not-fit",
      ),
      prediction,
    };
  return { fits: true, prediction, resident: true };
}

type Refusal = Extract<Fit, { fits: false }>;

const refuse = (reason: string, hint: string, code: Refusal["code"]): Refusal => ({
  fits: false,
  code,
  reason: `ComfyUI ${reason}`,
  hint,
});

function declared(
  settings: EngineSettings,
  devices: readonly DeviceRoom[],
  wishes: Wishes = {},
): MemoryPrediction {
  const { vram = 0, memory = 0 } = wishes.declared ?? {};
  return {
    devices: devices.map((_, index) =>
      deviceMemory([{ term: "weights", name: "declared", bytes: index === 0 ? vram : 0 }]),
    ),
    host: deviceMemory([{ term: "weights", name: "declared", bytes: memory }]),
    kv: { bytesPerToken: 0, bytes: 0, tokens: 0, concurrency: settings.parallel, type: "none" },
    settings,
  };
}
