import type { ServerResponse } from "node:http";
import type { ChoiceListener, FinishReason, ScoredToken } from "./choice-output.ts";
import { completionLogprobs } from "./completion-logprobs.ts";
import type { Generation } from "./generation.ts";
import { sendJson } from "./http.ts";
import { OpenChoices } from "./open-choices.ts";
import type { AnswerInProgress } from "./start-choices.ts";
import type { TokenTexts } from "./text-decoder.ts";
import { usageOf } from "./usage.ts";

/** What all parts of one text completion have in common. */
export interface CompletionHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly includeUsage: boolean;
  readonly texts: TokenTexts;
  readonly scored: boolean;
  /** Text put before each choice; one entry a choice. */
  readonly echoes: readonly string[];
}

interface CollectedText {
  text: string;
  readonly scored: ScoredToken[];
  reason: FinishReason;
}

/** A text completion in one piece. */
export class CompletionAnswer implements AnswerInProgress {
  readonly #response: ServerResponse;
  readonly #head: CompletionHead;
  readonly #choices: readonly CollectedText[];
  readonly #open: OpenChoices;

  constructor(response: ServerResponse, head: CompletionHead) {
    this.#response = response;
    this.#head = head;
    this.#choices = head.echoes.map((echo) => ({ text: echo, scored: [], reason: "stop" }));
    this.#open = new OpenChoices(response, this.#choices.length);
  }

  attach(generations: readonly Generation[]): void {
    this.#open.attach(generations);
  }

  listener(index: number): ChoiceListener {
    const choice = this.#choices[index];
    if (choice === undefined) throw new Error(`there is no choice ${index}`);
    return {
      text: (text, scored) => {
        choice.text += text;
        choice.scored.push(...scored);
      },
      toolEvent: () => {},
      finish: (reason) => {
        choice.reason = reason;
        if (this.#open.finish()) this.#send();
      },
      fail: this.#open.fail,
    };
  }

  #send(): void {
    const { id, created, model, texts, scored, echoes } = this.#head;
    sendJson(this.#response, 200, {
      id,
      object: "text_completion",
      created,
      model,
      choices: this.#choices.map((choice, index) => ({
        index,
        text: choice.text,
        logprobs: scored ? completionLogprobs(texts, choice.scored, echoes[index]?.length ?? 0) : null,
        finish_reason: choice.reason,
      })),
      usage: usageOf(this.#open.generations),
    });
  }
}
