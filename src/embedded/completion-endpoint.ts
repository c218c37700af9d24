import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { ChoiceOutput } from "./choice-output.ts";
import { CompletionAnswer } from "./completion-answer.ts";
import { readCompletionRequest } from "./completion-request.ts";
import { CompletionStream } from "./completion-stream.ts";
import type { ServingEngine } from "./engine.ts";
import { requireAdmission, requireRoom } from "./engine.ts";
import { repeatForChoices, startChoices } from "./start-choices.ts";

/** POST /v1/completions. */
export function completions(
  engine: ServingEngine,
  body: Readonly<Record<string, unknown>>,
  response: ServerResponse,
): void {
  const { model, loop } = engine;
  const request = readCompletionRequest(body, model, loop.limits.parallel + loop.limits.queue);
  for (const prompt of request.prompts) requireRoom(engine, prompt.length, "prompt");
  const requests = request.prompts.flatMap((prompt) =>
    repeatForChoices(
      {
        prompt,
        maxTokens: request.maxTokens,
        sampling: request.sampling,
        grammar: undefined,
        topLogprobs: request.topLogprobs,
      },
      request.choices,
    ),
  );
  requireAdmission(engine, requests.length);
  const head = {
    id: `cmpl-${randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model: model.alias,
    includeUsage: request.includeUsage,
    texts: model.texts,
    scored: request.topLogprobs !== undefined,
    echoes: requests.map(({ prompt }) =>
      request.echo ? model.model.detokenize(Uint32Array.from(prompt), true) : "",
    ),
  };
  const answer = request.stream ? new CompletionStream(response, head) : new CompletionAnswer(response, head);
  startChoices(engine, response, answer, {
    requests,
    output: (listener) =>
      new ChoiceOutput({ texts: model.texts, stops: request.stops, tools: undefined }, listener),
  });
}
