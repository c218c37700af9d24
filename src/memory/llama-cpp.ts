import { MIB } from "../core/index.ts";
import type { ModelShape } from "../models/model-shape.ts";
import { fitLlamaCpp } from "./llama-cpp-fit.ts";
import { type LlamaCppProgram, predictLlamaCpp } from "./llama-cpp-predict.ts";
import type { MemoryModel } from "./memory-model.ts";

/** llama-server: rows of logits for its slots only. */
const LLAMA_SERVER: LlamaCppProgram = {
  outputs: "slots",
  repacks: true,
  process: 150 * MIB,
  cudaProcess: 250 * MIB,
};

/** A memory model for a program over llama.cpp. Throws `RangeError` when it is asked to predict without a shape. */
export function llamaCppModel(program: LlamaCppProgram): MemoryModel {
  return {
    predict: (shape, settings, devices) => predictLlamaCpp(program, known(shape), settings, devices),
    fit: (request) => fitLlamaCpp(program, request),
  };
}

/** llama-server of llama.cpp v0.5.0. */
export const llamaCpp: MemoryModel = llamaCppModel(LLAMA_SERVER);

function known(shape: ModelShape | undefined): ModelShape {
  if (shape === undefined)
    throw new RangeError("llama.cpp's memory cannot be predicted without the model's shape");
  return shape;
}
