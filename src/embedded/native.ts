import type { Llama, LlamaContext, LlamaModel } from "node-llama-cpp";
import { OmniError } from "../core/index.ts";

/**
 * The part of node-llama-cpp's native addon that the batch loop drives by itself. The library's own loop costs
 * several promises, locks and array copies for each token and sequence; this one costs a decode and a sample.
 * The addon is not public API, so the release is pinned and every method is looked for at load.
 */
export interface NativeContext {
  initBatch(tokens: number): void;
  /** Adds tokens of one sequence; returns the batch index of each token whose logits are wanted. */
  addToBatch(sequence: number, firstPosition: number, tokens: Uint32Array, wanted: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(batchIndex: number, sampler: NativeSampler): Promise<number>;
  /** `logits` asks for the raw values of the named tokens and of the `top` best ones. */
  sampleToken(
    batchIndex: number,
    sampler: NativeSampler,
    probabilities: false,
    confidence: false,
    logits: readonly [tokens: readonly number[], max: boolean, min: boolean, selected: boolean, top: number],
    totalWeight: true,
  ): Promise<readonly [number, undefined, undefined, readonly number[] | undefined, number | undefined]>;
  disposeSequence(sequence: number): void;
  /** False when the cache cannot drop these cells (recurrent models). */
  removeTokenCellsFromSequence(sequence: number, start: number, end: number): boolean;
  getSequenceKvCacheMinPosition(sequence: number): number;
  getEmbedding(inputTokens: number): Float64Array;
}

export interface NativeSampler {
  applyConfig(config: Readonly<Record<string, unknown>>): void;
  dispose(): void;
}

export interface NativeModel {
  tokenize(text: string, parseSpecial: boolean): Uint32Array;
  detokenize(tokens: Uint32Array, renderSpecial: boolean): string;
  getTokenString(token: number): string;
  getTokenAttributes(token: number): number;
  isEogToken(token: number): boolean;
  shouldPrependBosToken(): boolean;
  getTotalParameters(): number;
}

export interface NativeGrammar {
  isTextCompatible(text: string): boolean;
}

export interface NativeBindings {
  readonly AddonSampler: new (model: NativeModel) => NativeSampler;
  readonly AddonGrammar: new (
    grammar: string,
    options: { addonExports: NativeBindings; rootRuleName: string },
  ) => NativeGrammar;
  readonly AddonGrammarEvaluationState: new (model: NativeModel, grammar: NativeGrammar) => object;
}

const CONTEXT_METHODS = [
  "initBatch",
  "addToBatch",
  "decodeBatch",
  "sampleToken",
  "disposeSequence",
  "removeTokenCellsFromSequence",
  "getSequenceKvCacheMinPosition",
  "getEmbedding",
] as const;
const MODEL_METHODS = [
  "tokenize",
  "detokenize",
  "getTokenString",
  "getTokenAttributes",
  "isEogToken",
  "shouldPrependBosToken",
  "getTotalParameters",
] as const;
const BINDINGS = ["AddonSampler", "AddonGrammar", "AddonGrammarEvaluationState"] as const;

export function nativeContext(context: LlamaContext): NativeContext {
  const value: unknown = Reflect.get(context, "_ctx");
  requireMethods(value, CONTEXT_METHODS, "context");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method was just looked for
  return value as NativeContext;
}

export function nativeModel(model: LlamaModel): NativeModel {
  const value: unknown = Reflect.get(model, "_model");
  requireMethods(value, MODEL_METHODS, "model");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method was just looked for
  return value as NativeModel;
}

export function nativeBindings(llama: Llama): NativeBindings {
  const value: unknown = Reflect.get(llama, "_bindings");
  requireMethods(value, BINDINGS, "bindings");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every class was just looked for
  return value as NativeBindings;
}

function requireMethods(value: unknown, methods: readonly string[], what: string): void {
  const missing = methods.filter(
    (name) => typeof value !== "object" || value === null || typeof Reflect.get(value, name) !== "function",
  );
  if (missing.length === 0) return;
  throw new OmniError(
    "engine.load-failed",
    `node-llama-cpp's native ${what} lacks ${missing.join(", ")}; the embedded engine is written for release 3.22.1.`,
    { hint: "Install the pinned release: npm ci" },
  );
}
