import type { EngineSurface } from "../surface.ts";
import { TOKENIZE_CONTENT, TOKENIZE_PROMPT } from "./tokenizing.ts";

const same = (...paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, path]));

/** The names under which clients know one endpoint that orders documents. */
const RERANK = {
  "/v1/rerank": "/v1/rerank",
  "/v2/rerank": "/v1/rerank",
  "/rerank": "/v1/rerank",
  "/v1/reranking": "/v1/rerank",
} as const;

/** OpenAI's own default, which embedded engine, vLLM, SGLang and Triton keep. */
const OPENAI_COMPLETION_TOKENS = 16;

const EMBEDDED: EngineSurface = {
  dialects: ["chat", "completions"],
  paths: same("/v1/embeddings", "/tokenize", "/detokenize"),
  continuesChat: "continue-final-message",
  prefill: "as-text",
  defaultCompletionTokens: OPENAI_COMPLETION_TOKENS,
  tokenize: TOKENIZE_CONTENT,
  countsStreams: true,
};

/**
 * llama-server (tools/server/server.cpp). It speaks responses and messages too, which Omni leaves to its own translation.
 * Builds before May 2026 do not read `continue_final_message` and take a last message of the assistant as begun anyway;
 * newer ones repeat it in the answer unless they are told that it is a continuation (llama.cpp #23089).
 */
const LLAMA_CPP: EngineSurface = {
  dialects: ["chat", "completions"],
  paths: {
    ...same("/v1/embeddings", "/v1/audio/transcriptions", "/infill", "/tokenize", "/detokenize"),
    ...RERANK,
  },
  continuesChat: "continue-final-message",
  prefill: "with-thinking",
  tokenize: TOKENIZE_CONTENT,
  countsStreams: true,
  // `tool_choice` is read as a text, and is "auto" where it is none.
  knowsToolNames: false,
  // Parts that the model cannot take are thrown as faults of the server (tools/server/server-common.cpp).
  requestFaults: /(?:image|audio|video) input is not supported/,
};

/** vLLM (entrypoints/openai, entrypoints/pooling): a model serves those of its own task. */
const VLLM: EngineSurface = {
  dialects: ["chat", "completions"],
  paths: {
    ...same(
      "/v1/embeddings",
      "/v1/score",
      "/v1/audio/transcriptions",
      "/v1/audio/translations",
      "/pooling",
      "/classify",
      "/tokenize",
      "/detokenize",
    ),
    "/score": "/v1/score",
    ...RERANK,
  },
  continuesChat: "continue-final-message",
  prefill: "by-template",
  defaultCompletionTokens: OPENAI_COMPLETION_TOKENS,
  tokenize: TOKENIZE_PROMPT,
  countsStreams: true,
};

/**
 * SGLang (srt/entrypoints/http_server.py). Its `/v1/score` is another than vLLM's (it wants tokens as labels), so it is
 * not offered under that name.
 */
const SGLANG: EngineSurface = {
  dialects: ["chat", "completions"],
  paths: {
    ...same(
      "/v1/embeddings",
      "/v1/audio/transcriptions",
      "/classify",
      "/generate",
      "/tokenize",
      "/detokenize",
    ),
    ...RERANK,
  },
  continuesChat: "continue-final-message",
  prefill: "as-text",
  defaultCompletionTokens: OPENAI_COMPLETION_TOKENS,
  tokenize: TOKENIZE_PROMPT,
  countsStreams: true,
};

/**
 * Plain tritonserver has KServe's protocol and the generate extension only: a text goes in and a text comes out. There
 * is no chat template, so chat is not offered; completions are translated (triton-generate.ts).
 */
const TRITON_VLLM: EngineSurface = {
  dialects: ["completions"],
  paths: {},
  defaultCompletionTokens: OPENAI_COMPLETION_TOKENS,
  countsStreams: true,
  completionsBy: "triton-generate",
};

/** `trtllm-serve` refuses members that it does not know (`extra="forbid"`), `continue_final_message` among them. */
const TENSORRT_LLM: EngineSurface = {
  dialects: ["chat", "completions"],
  paths: {},
  defaultCompletionTokens: OPENAI_COMPLETION_TOKENS,
  countsStreams: true,
};

/** Pictures only, through workflows: nothing of OpenAI's API. */
const COMFYUI: EngineSurface = { dialects: [], paths: {}, countsStreams: false };

/** Any server that speaks OpenAI's dialect. OpenAI's own begins a new message behind the assistant's. */
const OPENAI: EngineSurface = {
  dialects: ["chat", "completions"],
  paths: {
    ...same(
      "/v1/embeddings",
      "/v1/moderations",
      "/v1/images/generations",
      "/v1/images/edits",
      "/v1/images/variations",
      "/v1/audio/transcriptions",
      "/v1/audio/translations",
      "/v1/audio/speech",
      "/v1/score",
      "/v1/rerank",
      "/v2/rerank",
      "/rerank",
    ),
  },
  defaultCompletionTokens: OPENAI_COMPLETION_TOKENS,
  countsStreams: true,
};

const ANTHROPIC: EngineSurface = {
  dialects: ["messages"],
  paths: same("/v1/messages/count_tokens"),
  continuesChat: "assistant-prefill",
  prefill: "text-only",
  countsStreams: false,
};

/** An engine of a kind that nobody knows serves nothing. */
const NOTHING: EngineSurface = { dialects: [], paths: {}, countsStreams: false };

const SURFACES: ReadonlyMap<string, EngineSurface> = new Map([
  ["embedded", EMBEDDED],
  ["llama.cpp", LLAMA_CPP],
  ["vllm", VLLM],
  ["sglang", SGLANG],
  ["ktransformers", SGLANG],
  ["triton-vllm", TRITON_VLLM],
  ["tensorrt-llm", TENSORRT_LLM],
  ["comfyui", COMFYUI],
  ["openai", OPENAI],
  ["anthropic", ANTHROPIC],
]);

/** What an engine of that kind of the catalog serves over HTTP. */
export const surfaceOf = (kind: string): EngineSurface => SURFACES.get(kind) ?? NOTHING;
