import type { NativeBindings, NativeGrammar, NativeModel, NativeSampler } from "./native.ts";

/** How the next token is chosen. Temperature 0 means the likeliest token always. */
export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  /** 0 means the whole vocabulary. */
  readonly topK: number;
  readonly minP: number;
  /** An unsigned 32-bit number, or `undefined` for a new one each time. */
  readonly seed: number | undefined;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly repeatPenalty: number;
  /** Tokens back, prompt included, that the three penalties look at. */
  readonly repeatLastTokens: number;
  readonly logitBias: ReadonlyMap<number, number>;
}

/** What makes samplers: the loaded model and the addon's classes. */
export interface SamplerSource {
  readonly bindings: NativeBindings;
  readonly model: NativeModel;
}

/** Makes the native sampler of one generation. The caller disposes it. */
export function createSampler(
  source: SamplerSource,
  sampling: Sampling,
  prompt: readonly number[],
  grammar: NativeGrammar | undefined,
): NativeSampler {
  const sampler = new source.bindings.AddonSampler(source.model);
  sampler.applyConfig({
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    minP: sampling.minP,
    seed: sampling.seed ?? Math.floor(Math.random() * 2 ** 32),
    ...penalties(sampling, prompt),
    ...bias(sampling.logitBias),
    ...(grammar === undefined
      ? {}
      : {
          grammarEvaluationState: new source.bindings.AddonGrammarEvaluationState(source.model, grammar),
        }),
  });
  return sampler;
}

/** A sampler that changes nothing, to read the model's own distribution through. The caller disposes it. */
export function createObserver(source: SamplerSource): NativeSampler {
  const observer = new source.bindings.AddonSampler(source.model);
  observer.applyConfig({ temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 });
  return observer;
}

function penalties(sampling: Sampling, prompt: readonly number[]): Record<string, unknown> {
  const { repeatPenalty, presencePenalty, frequencyPenalty, repeatLastTokens } = sampling;
  if (repeatLastTokens === 0) return {};
  if (repeatPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return {};
  return {
    repeatPenalty,
    repeatPenaltyPresencePenalty: presencePenalty,
    repeatPenaltyFrequencyPenalty: frequencyPenalty,
    repeatPenaltyMaxTokens: repeatLastTokens,
    repeatPenaltyTokens: Uint32Array.from(prompt.slice(-repeatLastTokens)),
  };
}

function bias(biases: ReadonlyMap<number, number>): Record<string, unknown> {
  if (biases.size === 0) return {};
  return {
    tokenBiasKeys: Uint32Array.from(biases.keys()),
    tokenBiasValues: Float32Array.from(biases.values()),
  };
}
