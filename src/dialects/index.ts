/**
 * Dialects: OpenAI's and Anthropic's ways of asking for text, and how requests, answers, streams, errors and counts of
 * one are said in another. Pure: no sockets, no clocks, no chance; whatever comes in, only `DialectError` comes out.
 */
export { countTokensRequest } from "./count-tokens.ts";
export type { Dialect, JsonObject } from "./dialect.ts";
export { readEngineError } from "./engine-error.ts";
export { isObject } from "./fields.ts";
export { findTranslation } from "./find-translation.ts";
export { dialectNeeds } from "./needs.ts";
export { SseReader } from "./sse-reader.ts";
export type { StreamTranslator, Translation } from "./translation.ts";
export { DialectError } from "./translation.ts";
export { readEventUsage, readUsage } from "./usage.ts";
export type { WireError } from "./wire-error.ts";
export { wireErrorType } from "./wire-error.ts";
export type { ErrorFamily } from "./wire-error-body.ts";
export { errorFamily, wireErrorBody, wireErrorEvent } from "./wire-error-body.ts";
