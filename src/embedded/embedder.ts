import type { LlamaContext } from "node-llama-cpp";
import type { LoadedModel } from "./load-model.ts";
import type { NativeContext } from "./native.ts";
import { nativeContext } from "./native.ts";

/**
 * Embeddings of the same model, in a context of their own that is made at the first request: llama.cpp gives
 * embeddings or logits from one context, not both. One text at a time, because the addon reads sequence 0 only.
 */
export class Embedder {
  readonly #model: LoadedModel;
  #context: Promise<NativeContext> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(model: LoadedModel) {
    this.#model = model;
  }

  /** The unit vector of one text: the mean over its tokens, or what the model's own pooling says. */
  async embed(tokens: readonly number[]): Promise<Float64Array> {
    const turn = this.#last.then(() => this.#compute(tokens));
    // The next in line waits for this one, whether it succeeds or not.
    this.#last = turn.catch(() => undefined);
    return unit(await turn);
  }

  async #compute(tokens: readonly number[]): Promise<Float64Array> {
    this.#context ??= this.#create();
    const context = await this.#context;
    context.disposeSequence(0);
    context.initBatch(tokens.length);
    const all = Uint32Array.from(tokens.keys());
    context.addToBatch(0, 0, Uint32Array.from(tokens), all);
    await context.decodeBatch();
    return context.getEmbedding(tokens.length);
  }

  async #create(): Promise<NativeContext> {
    const { library, contextTokens, threads } = this.#model;
    // Pooling needs the whole text in one batch.
    const options = {
      contextSize: contextTokens,
      batchSize: contextTokens,
      sequences: 1,
      threads,
      _embeddings: true,
    };
    const context: LlamaContext = await library.createContext(options);
    return nativeContext(context);
  }
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
