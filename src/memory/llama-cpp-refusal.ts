import { formatBytes } from "../core/index.ts";
import { attempt, type LlamaCppRoom } from "./llama-cpp-attempt.ts";
import { slotCount } from "./llama-cpp-placement.ts";
import type { DeviceMemory, EngineSettings, Fit, MemoryPrediction, Wishes } from "./memory-model.ts";

/** The smallest quantization that files have, IQ1_S. */
const LEAST_BITS = 1.5625;

/** The refusal with its arithmetic: what the smallest demand needs of each place that it overfills, and what would fit. */
export function refuse(
  room: LlamaCppRoom,
  wishes: Wishes,
  prediction: MemoryPrediction,
  least: EngineSettings,
): Fit {
  const resident = wishes.resident === true && room.devices.length > 0;
  return {
    fits: false,
    code: resident ? "not-fully-resident" : "does-not-fit",
    reason: shortfalls(room, prediction).join("; "),
    hint: [...alternatives(room, wishes, least), bitsThatFit(room, prediction, resident)]
      .filter((hint) => hint !== "")
      .join("; "),
    prediction,
  };
}

function shortfalls(room: LlamaCppRoom, { devices, host, settings }: MemoryPrediction): string[] {
  const cards = room.devices.flatMap(({ name, free }, index) => {
    const memory = devices[index];
    return memory === undefined || memory.total <= free ? [] : [shortfall(name, memory, free)];
  });
  const main = host.total <= room.host.free ? [] : [shortfall("main memory", host, room.host.free)];
  const demanded = `with ${settings.contextTokens} tokens of context for ${requests(settings.parallel)}`;
  return [...cards, ...main].map((line, index) => (index === 0 ? `${line}, ${demanded}` : line));
}

const requests = (parallel: number): string => (parallel === 1 ? "one request" : `${parallel} requests`);

function shortfall(name: string, memory: DeviceMemory, free: number): string {
  const terms: readonly (readonly [string, number])[] = [
    ["weights", memory.weights],
    ["KV cache", memory.kvCache],
    ["compute buffers", memory.compute],
    ["overhead", memory.overhead],
  ];
  const sum = terms
    .filter(([, bytes]) => bytes > 0)
    .map(([term, bytes]) => `${formatBytes(bytes)} of ${term}`)
    .join(" + ");
  return `needs ${formatBytes(memory.total)} on ${name} (${sum}), which has ${formatBytes(Math.max(0, free))}`;
}

/** Concessions that would make it fit, each with its number. */
function alternatives(room: LlamaCppRoom, wishes: Wishes, least: EngineSettings): string[] {
  const hints: string[] = [];
  const short = Math.min(room.shape.trainedContext, 4096);
  if (
    least.contextTokens > short &&
    attempt(room, { ...least, contextTokens: short, parallel: 1 }) !== undefined
  ) {
    hints.push(`${short} tokens of context for one request fit`);
  }
  if (wishes.resident !== true || room.devices.length === 0) return hints;
  const away = expertsAway(room, least);
  if (away !== undefined)
    hints.push(`it fits with the experts of the first ${away} layers in main memory (cpuMoe: ${away})`);
  else {
    const layers = layersOnCards(room, least);
    if (layers !== undefined)
      hints.push(
        `it fits with ${layers} of ${slotCount(room.shape)} layers on the cards (gpuLayers: ${layers})`,
      );
  }
  return hints;
}

function expertsAway(room: LlamaCppRoom, least: EngineSettings): number | undefined {
  const count = room.shape.layers.findLastIndex(({ weights }) => weights.experts > 0) + 1;
  for (let away = 1; away <= count; away++) {
    if (attempt(room, { ...least, cpuExpertLayers: away }) !== undefined) return away;
  }
  return undefined;
}

function layersOnCards(room: LlamaCppRoom, least: EngineSettings): number | undefined {
  for (let layers = slotCount(room.shape) - 1; layers > 0; layers--) {
    if (attempt(room, { ...least, gpuLayers: layers }) !== undefined) return layers;
  }
  return undefined;
}

/** How many bits a weight may have for the model to fit where it was tried, everything else unchanged. */
function bitsThatFit(room: LlamaCppRoom, { devices, host }: MemoryPrediction, resident: boolean): string {
  const cardsOnly = resident && room.devices.length > 0;
  const places = cardsOnly ? devices : [...devices, host];
  const free = room.devices.reduce((sum, device) => sum + device.free, cardsOnly ? 0 : room.host.free);
  const weights = places.reduce((sum, place) => sum + place.weights, 0);
  const rest = places.reduce((sum, place) => sum + place.total - place.weights, 0);
  const { bitsPerWeight, name } = room.shape.quantization;
  if (weights === 0 || bitsPerWeight === 0) return "";
  const left = Math.max(0, free - rest);
  const bits = (bitsPerWeight * left) / weights;
  const facts = `${formatBytes(weights)} of weights at ${bitsPerWeight.toFixed(2)} bits a weight (${name}), and ${placesName(room, cardsOnly)} ${formatBytes(left)} for them`;
  if (bits >= bitsPerWeight) return facts;
  return bits < LEAST_BITS
    ? `${facts}: no quantization is that small`
    : `${facts}: ${bits.toFixed(2)} bits a weight would fit`;
}

function placesName({ devices }: LlamaCppRoom, cardsOnly: boolean): string {
  if (devices.length === 0) return "main memory has";
  if (!cardsOnly) return "cards and main memory together have";
  return devices.length === 1 ? "the card has" : "the cards have";
}
