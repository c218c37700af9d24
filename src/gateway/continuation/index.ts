/**
 * Continuation: what a client has of a cut answer, how another engine is asked to go on, and how its stream is joined to
 * the first. Pure: bytes and objects in, bytes and objects out.
 */
export { continueWith, prefilledText } from "./continue-with.ts";
export { continuedComment } from "./continued-comment.ts";
export { PlainDeltas } from "./plain-deltas.ts";
export { createSaidSoFar } from "./said-so-far.ts";
