/**
 * Advice: what the field learned the hard way, found in this spec. One rule a file over spec and plan: a stable code, the
 * arithmetic or the quote, a remedy and a source. Rules find and explain; they change nothing and place nothing.
 */
export { advise } from "./advise.ts";
export * from "./rule.ts";
export { RULES } from "./rules.ts";
