import type { Card } from "../../live/live-state.ts";

export const TONES = [
  "weights",
  "kv",
  "compute",
  "overhead",
  "held",
  "other",
  "reserve",
  "driver",
  "free",
] as const;

/** What a layer is made of; each has a colour and a word of its own. */
export type LayerTone = (typeof TONES)[number];

/** One amount in a vessel: whose it is and of what kind. Bytes. */
export interface Layer {
  /** A service, or whoever else holds it. */
  readonly of: string;
  readonly tone: LayerTone;
  readonly bytes: number;
  /** What a figure alone would not tell. */
  readonly note?: string;
}

/** A device that holds memory, as planned and as it is. Layers from the bottom up. */
export interface Vessel {
  readonly device: string;
  readonly kind: "gpu" | "memory";
  readonly label: string;
  /** Bytes that the drawing's top stands for. */
  readonly capacity: number;
  readonly planned: readonly Layer[] | undefined;
  readonly measured: readonly Layer[] | undefined;
  /** Why there is nothing measured. */
  readonly unmeasured?: string;
  readonly card: Card | undefined;
}

/** The devices of one machine of the plan. */
export interface Machine {
  readonly name: string;
  readonly vessels: readonly Vessel[];
}

export const TONE_WORDS: Readonly<Record<LayerTone, string>> = {
  weights: "weights",
  kv: "KV cache",
  compute: "compute",
  overhead: "overhead",
  held: "held, not told apart",
  other: "others",
  reserve: "kept free",
  driver: "driver and firmware",
  free: "free",
};

/** Layers that hold something, and the rest up to `capacity` as free. */
export function filled(layers: readonly Layer[], capacity: number): readonly Layer[] {
  const held = layers.filter(({ bytes }) => bytes > 0);
  const free = capacity - held.reduce((sum, { bytes }) => sum + bytes, 0);
  return free > 0 ? [...held, { of: "nobody", tone: "free", bytes: free }] : held;
}
