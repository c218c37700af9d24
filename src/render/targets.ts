import type { Target } from "./artifact.ts";

/** Every target, in the order in which a node is built from the metal up. */
export const TARGETS: readonly Target[] = [];
