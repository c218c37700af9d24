/**
 * Core: units, diagnostics, errors and their codes. Everything may import it; it imports nothing,
 * reads no clock, touches no file and prints nothing.
 */
export * from "./address.ts";
export { ADVICE_CODES } from "./advice-codes.ts";
export * from "./bytes.ts";
export { canonicalJson } from "./canonical.ts";
export * from "./codes.ts";
export * from "./count.ts";
export * from "./cuda-architecture.ts";
export * from "./cuda-requirement.ts";
export * from "./diagnostic.ts";
export * from "./duration.ts";
export * from "./error.ts";
export * from "./event.ts";
export * from "./nearest.ts";
export { optionalPart } from "./optional-part.ts";
export * from "./present.ts";
export { siblingProgram } from "./sibling-program.ts";
