import type { ServingEngine } from "./engine.ts";

const STARTED = Math.floor(Date.now() / 1000);

/** The answer of GET /v1/models: the one model of this engine, with what a client may want to know in `meta`. */
export function describeModels({ model, loop }: ServingEngine): Record<string, unknown> {
  const { outline, template } = model;
  return {
    object: "list",
    data: [
      {
        id: model.alias,
        object: "model",
        created: STARTED,
        owned_by: "omni",
        meta: {
          name: outline.name ?? null,
          architecture: outline.architecture,
          parameters: model.parameters,
          size_bytes: outline.weightBytes,
          context_tokens: model.contextTokens,
          trained_context_tokens: outline.trainedContext,
          embedding_length: outline.embeddingLength,
          vocabulary: outline.vocabulary,
          parallel: loop.limits.parallel,
          threads: model.threads,
          chat_template: template.origin,
          chat_template_note: template.fallbackReason ?? null,
          tool_syntax: template.toolSyntax,
        },
      },
    ],
  };
}
