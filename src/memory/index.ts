/**
 * Memory: the bytes an engine will take, term by term and device by device, and the inverse: the largest context and
 * concurrency that fit. Pure arithmetic with its source beside each formula; nothing here chooses between devices, opens
 * a file or asks a machine.
 */
export * from "./memory-model.ts";
export * from "./memory-models.ts";
export { kvElementBytes } from "./kv-bytes.ts";
export * from "./reading-weights.ts";
export * from "./rescale-shape.ts";
export * from "./terms.ts";
