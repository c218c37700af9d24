import type { ServerResponse } from "node:http";
import type { ChoiceListener, ChoiceOutput } from "./choice-output.ts";
import type { ServingEngine } from "./engine.ts";
import type { Generation, GenerationRequest } from "./generation.ts";

/** An answer under way: one listener for each choice, and the generations it may pause. */
export interface AnswerInProgress {
  listener(choice: number): ChoiceListener;
  attach(generations: readonly Generation[]): void;
}

interface ChoicePlan {
  /** One for each choice. */
  readonly requests: readonly GenerationRequest[];
  output(listener: ChoiceListener): ChoiceOutput;
}

/** Submits one generation for each choice, and cancels all of them when the client hangs up. */
export function startChoices(
  engine: ServingEngine,
  response: ServerResponse,
  answer: AnswerInProgress,
  plan: ChoicePlan,
): void {
  const generations = plan.requests.map((request, choice) => {
    const output = plan.output(answer.listener(choice));
    const generation = engine.loop.submit(request, output);
    output.attach(generation);
    return generation;
  });
  answer.attach(generations);
  const cancel = (): void => {
    if (!response.writableFinished) for (const generation of generations) generation.cancel();
  };
  response.once("close", cancel);
  // The client may have gone while its body was being read.
  if (response.destroyed) cancel();
}

/** The same request once for each choice; every choice gets a seed of its own, or all would be the same text. */
export function repeatForChoices(request: GenerationRequest, choices: number): GenerationRequest[] {
  const { seed } = request.sampling;
  return Array.from({ length: choices }, (_, choice) =>
    seed === undefined
      ? request
      : { ...request, sampling: { ...request.sampling, seed: (seed + choice) % 2 ** 32 } },
  );
}
