import { refuseByAttention } from "./attention-backend.ts";
import { refuseByArchitecture } from "./compiled-architectures.ts";
import { refuseByDriver } from "./driver.ts";
import type { GateInput, GateRefusal } from "./gate.ts";
import { refuseByQuantization } from "./quantization-kernels.ts";

/**
 * Why this engine cannot run this model on this card, before any memory is counted: compiled architectures, driver,
 * quantization kernels, attention backend. Empty when nothing speaks against it; what is not known refuses nothing.
 */
export const checkGates = (input: GateInput): readonly GateRefusal[] => [
  ...refuseByArchitecture(input),
  ...refuseByDriver(input),
  ...refuseByQuantization(input),
  ...refuseByAttention(input),
];
