import type { ModelShape } from "../models/model-shape.ts";

/** Assumed: a core reads 10 GB/s of weights, a socket 60 GB/s whatever its cores, and a person waits for 4 tokens a second. */
const READING = { core: 10e9, socket: 60e9, tokens: 4 } as const;

/** Weights that are read for a token: of the routed experts only those in use. Bytes. */
export function activeBytes({ experts, expertParameters, parameters, weightBytes }: ModelShape): number {
  if (experts === undefined || experts.count === 0 || parameters === 0) return weightBytes;
  return weightBytes * (1 - (expertParameters / parameters) * (1 - experts.used / experts.count));
}

/** Weights that a processor reads for a token within a person's patience. Bytes. */
export const quickBytes = (cores: number, sockets = 1): number =>
  Math.min(cores * READING.core, sockets * READING.socket) / READING.tokens;
