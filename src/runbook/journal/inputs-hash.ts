import { createHash } from "node:crypto";
import { canonicalJson } from "../../core/index.ts";
import type { Step } from "../step.ts";

/** Stands for all that a step follows from: SHA-256 of its inputs, 16 hexadecimal digits. */
export const inputsHash = (step: Step): string =>
  createHash("sha256")
    .update(canonicalJson(step.inputs ?? null))
    .digest("hex")
    .slice(0, 16);
