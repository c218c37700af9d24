import type { LlamaContext } from "node-llama-cpp";
import type { BatchLoop } from "./batch-loop.ts";
import type { LoadedModel } from "./load-model.ts";
import type { NativeContext } from "./native.ts";
import { nativeContext } from "./native.ts";

/** Pooling needs the whole text in one batch, whose buffers grow with its length: OpenAI's limit is kept. */
const MOST_TOKENS = 8192;

/**
 * Embeddings of the same model, in a context of their own that is made at the first request: llama.cpp gives
 * embeddings or logits from one context, not both. One text at a time, between the batches of the loop.
 */
export class Embedder {
  readonly #model: LoadedModel;
  readonly #loop: BatchLoop;
  #context: NativeContext | undefined;
  #waiting = 0;

  constructor(model: LoadedModel, loop: BatchLoop) {
    this.#model = model;
    this.#loop = loop;
  }

  /** Tokens that one text may have. */
  get mostTokens(): number {
    return Math.min(MOST_TOKENS, this.#model.contextTokens);
  }

  /** Texts that wait for their turn or are being computed. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The unit vector of one text: the mean over its tokens, or what the model's own pooling says. */
  async embed(tokens: readonly number[]): Promise<Float64Array> {
    this.#waiting++;
    try {
      return unit(await this.#loop.between(() => this.#compute(tokens)));
    } finally {
      this.#waiting--;
    }
  }

  async #compute(tokens: readonly number[]): Promise<Float64Array> {
    this.#context ??= await this.#create();
    const context = this.#context;
    context.disposeSequence(0);
    context.initBatch(tokens.length);
    context.addToBatch(0, 0, Uint32Array.from(tokens), Uint32Array.from(tokens.keys()));
    await context.decodeBatch();
    // The addon reads sequence 0 only, hence one text a batch.
    return context.getEmbedding(tokens.length);
  }

  async #create(): Promise<NativeContext> {
    const { library, threads } = this.#model;
    const size = this.mostTokens;
    const options = { contextSize: size, batchSize: size, sequences: 1, threads, _embeddings: true };
    const context: LlamaContext = await library.createContext(options);
    return nativeContext(context);
  }
}

function unit(vector: Float64Array): Float64Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
