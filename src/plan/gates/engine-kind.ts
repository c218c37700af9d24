import { findEngineKind } from "../../catalog/index.ts";
import type { GateInput } from "./gate.ts";

/** The name of the engine's kind in the catalog, whatever alias the spec wrote. */
export const engineKind = (engine: GateInput["engine"]): string =>
  findEngineKind(engine.kind)?.name ?? engine.kind;

/** Kinds that run vLLM's kernels. */
const VLLM_KINDS: ReadonlySet<string> = new Set(["vllm", "triton-vllm"]);
/** Kinds that run llama.cpp's kernels. */
const LLAMA_KINDS: ReadonlySet<string> = new Set(["llama.cpp", "embedded"]);

export const runsVllm = (engine: GateInput["engine"]): boolean => VLLM_KINDS.has(engineKind(engine));
export const runsLlama = (engine: GateInput["engine"]): boolean => LLAMA_KINDS.has(engineKind(engine));
