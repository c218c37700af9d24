import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { ChatAnswer } from "./chat-answer.ts";
import { planChat } from "./chat-plan.ts";
import { readChatRequest } from "./chat-request.ts";
import { ChatStream } from "./chat-stream.ts";
import { ChoiceOutput } from "./choice-output.ts";
import type { ServingEngine } from "./engine.ts";
import { requireAdmission, requireRoom } from "./engine.ts";
import { repeatForChoices, startChoices } from "./start-choices.ts";

/** POST /v1/chat/completions. */
export function chatCompletions(
  engine: ServingEngine,
  body: Readonly<Record<string, unknown>>,
  response: ServerResponse,
): void {
  const { model, loop } = engine;
  const request = readChatRequest(body, model.outline.vocabulary, loop.limits.parallel);
  const plan = planChat(model, request);
  requireRoom(engine, plan.prompt.length, "messages");
  requireAdmission(engine, request.choices);
  const head = {
    id: `chatcmpl-${randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model: model.alias,
    choices: request.choices,
    includeUsage: request.includeUsage,
    texts: model.texts,
    scored: request.topLogprobs !== undefined,
  };
  const answer = request.stream ? new ChatStream(response, head) : new ChatAnswer(response, head);
  const generation = {
    prompt: plan.prompt,
    maxTokens: request.maxTokens ?? Number.MAX_SAFE_INTEGER,
    sampling: request.sampling,
    grammar: plan.grammar,
    topLogprobs: request.topLogprobs,
  };
  startChoices(engine, response, answer, {
    requests: repeatForChoices(generation, request.choices),
    output: (listener) =>
      new ChoiceOutput({ texts: model.texts, stops: request.stops, tools: plan.toolParser?.() }, listener),
  });
}
