import type { Llama, LlamaModel } from "node-llama-cpp";
import { chooseThreads, observeCpu, readMemory } from "../inventory/index.ts";
import { formatBytes, messageOf, OmniError, optionalPart } from "../core/index.ts";
import { readModel } from "../models/index.ts";
import type { ModelOutline } from "../models/index.ts";
import type { EngineArguments } from "./arguments.ts";
import { ChatTemplate } from "./chat-template.ts";
import type { NativeBindings, NativeContext, NativeModel } from "./native.ts";
import { nativeBindings, nativeContext, nativeModel } from "./native.ts";
import type { SpecialToken } from "./special-tokens.ts";
import { findSpecialTokens } from "./special-tokens.ts";
import { TokenTexts } from "./text-decoder.ts";
import { TOOL_MARKERS } from "./tool-syntax.ts";

/** A model in memory with a context of `parallel` sequences, ready for the batch loop. */
export interface LoadedModel {
  readonly alias: string;
  readonly outline: ModelOutline;
  readonly llama: Llama;
  readonly library: LlamaModel;
  readonly model: NativeModel;
  readonly context: NativeContext;
  readonly bindings: NativeBindings;
  readonly contextTokens: number;
  readonly batchTokens: number;
  readonly threads: number;
  readonly parameters: number;
  readonly specials: readonly SpecialToken[];
  readonly texts: TokenTexts;
  readonly template: ChatTemplate;
  /** Put before every prompt that does not begin with it, where the model wants that. */
  readonly beginToken: number | undefined;
  isEog(token: number): boolean;
}

/** Most tokens in one batch: llama.cpp's own default. */
const BATCH_TOKENS = 512;
const POOLING_MEAN = 1;

/**
 * Loads the model. The file is checked before native code sees it, so that a broken file is an error and not a
 * crash. Throws `OmniError` with a `model.*` or `engine.*` code. `progress` gets fractions from 0 to 1.
 */
export async function loadModel(
  args: EngineArguments,
  progress: (fraction: number) => void,
): Promise<LoadedModel> {
  const outline = await readModel(args.model);
  const threads =
    args.threads === "auto" ? chooseThreads(observeCpu(), outline.weightBytes).threads : args.threads;
  requireMemory(outline, args);
  const complaints: string[] = [];
  try {
    return await loadNative(args, outline, threads, complaints, progress);
  } catch (error) {
    if (error instanceof OmniError) throw error;
    throw loadFailure(outline.path, error, complaints);
  }
}

async function loadNative(
  args: EngineArguments,
  outline: ModelOutline,
  threads: number,
  complaints: string[],
  progress: (fraction: number) => void,
): Promise<LoadedModel> {
  // Imported late: the library takes half a second, and /health must answer at once.
  const { getLlama, LlamaLogLevel } = await optionalPart("node-llama-cpp", () => import("node-llama-cpp"));
  const llama = await getLlama({
    build: "never",
    skipDownload: true,
    progressLogs: false,
    gpu: args.gpu,
    maxThreads: threads,
    logLevel: LlamaLogLevel.warn,
    logger: (level, message) => {
      process.stderr.write(`llama.cpp ${level}: ${message}\n`);
      if (level === LlamaLogLevel.error || level === LlamaLogLevel.fatal) complaints.push(message.trim());
    },
  });
  const library = await llama.loadModel({
    modelPath: outline.path,
    ...(args.gpu === false ? { gpuLayers: 0 } : {}),
    metadataOverrides: meanPooling(outline),
    onLoadProgress: (fraction) => progress(fraction * 0.9),
  });
  const batchTokens = Math.max(args.parallel, Math.min(BATCH_TOKENS, args.contextTokens * args.parallel));
  const context = await library.createContext({
    contextSize: args.contextTokens,
    sequences: args.parallel,
    batchSize: batchTokens,
    threads,
    failedCreationRemedy: false,
  });
  const model = nativeModel(library);
  const bosWanted = model.shouldPrependBosToken() && library.tokens.bos !== null;
  const specials = findSpecialTokens(model, outline.vocabulary);
  const eog = new Map<number, boolean>();
  return {
    alias: args.alias,
    outline,
    llama,
    library,
    model,
    context: nativeContext(context),
    bindings: nativeBindings(llama),
    contextTokens: args.contextTokens,
    batchTokens,
    threads,
    parameters: model.getTotalParameters(),
    specials,
    texts: new TokenTexts(model, toolMarkers(specials)),
    template: ChatTemplate.from(outline.chatTemplate, {
      bos: library.tokens.bosString ?? "",
      eos: library.tokens.eosString ?? "",
    }),
    beginToken: bosWanted ? (library.tokens.bos ?? undefined) : undefined,
    isEog: (token) => {
      let end = eog.get(token);
      if (end === undefined) eog.set(token, (end = model.isEogToken(token)));
      return end;
    },
  };
}

function toolMarkers(specials: readonly SpecialToken[]): ReadonlySet<number> {
  return new Set(specials.filter(({ text }) => TOOL_MARKERS.has(text)).map(({ token }) => token));
}

/**
 * Refuses what cannot fit, with the arithmetic: a kernel that runs out of memory ends some process, perhaps another.
 * Weights + KV cache of all sequences against the memory that is available now.
 */
function requireMemory(outline: ModelOutline, args: EngineArguments): void {
  if (args.gpu !== false) return;
  const { available } = readMemory();
  const cache = outline.kvBytesPerToken * args.contextTokens * args.parallel;
  const needed = outline.weightBytes + cache;
  if (needed <= available) return;
  throw new OmniError(
    "model.too-large",
    `${outline.path} needs ${formatBytes(needed)}: ${formatBytes(outline.weightBytes)} of weights and ${formatBytes(cache)} of KV cache for ${args.parallel} requests of ${args.contextTokens} tokens. ${formatBytes(available)} are available.`,
  );
}

/** A generative model says nothing about pooling; embeddings from it are the mean over its tokens. */
function meanPooling(outline: ModelOutline): Record<string, Record<string, number>> {
  return { [outline.architecture]: { pooling_type: POOLING_MEAN } };
}

function loadFailure(path: string, error: unknown, complaints: readonly string[]): OmniError {
  const said = [...new Set([...complaints.slice(-3), messageOf(error)])].join("; ");
  const memory = /insufficient|not enough|out of memory|too large|alloc/i.test(said);
  if (memory) {
    return new OmniError("model.too-large", `${path} does not fit into memory: ${said}`, { cause: error });
  }
  return new OmniError("engine.load-failed", `llama.cpp could not load ${path}: ${said}`, {
    hint: "Check that the file loads in a current llama.cpp, or choose another model file.",
    cause: error,
  });
}
