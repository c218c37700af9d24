import type { ServerResponse } from "node:http";
import { chatLogprobs } from "./chat-logprobs.ts";
import type { ChatHead } from "./chat-stream.ts";
import type { ChoiceListener, FinishReason, ScoredToken } from "./choice-output.ts";
import type { Generation } from "./generation.ts";
import { sendJson } from "./http.ts";
import { OpenChoices } from "./open-choices.ts";
import type { AnswerInProgress } from "./start-choices.ts";
import { usageOf } from "./usage.ts";

interface CollectedCall {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

interface CollectedChoice {
  text: string;
  scored: ScoredToken[];
  calls: CollectedCall[];
  reason: FinishReason;
  stop?: string | undefined;
}

/** A chat answer in one piece. */
export class ChatAnswer implements AnswerInProgress {
  readonly #response: ServerResponse;
  readonly #head: ChatHead;
  readonly #choices: CollectedChoice[];
  readonly #open: OpenChoices;

  constructor(response: ServerResponse, head: ChatHead) {
    this.#response = response;
    this.#head = head;
    this.#open = new OpenChoices(response, head.choices);
    this.#choices = Array.from({ length: head.choices }, () => ({
      text: "",
      scored: [],
      calls: [],
      reason: "stop",
    }));
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
      toolEvent: (event) => {
        if (event.kind === "call") choice.calls.push({ id: event.id, name: event.name, arguments: "" });
        else appendArguments(choice.calls, event.index, event.text);
      },
      finish: (reason, stop) => {
        choice.reason = reason;
        choice.stop = stop;
        if (this.#open.finish()) this.#send();
      },
      fail: this.#open.fail,
    };
  }

  #send(): void {
    const { id, created, model } = this.#head;
    sendJson(this.#response, 200, {
      id,
      object: "chat.completion",
      created,
      model,
      system_fingerprint: "omni-embedded",
      choices: this.#choices.map((choice, index) => this.#describe(choice, index)),
      usage: usageOf(this.#open.generations),
    });
  }

  #describe(choice: CollectedChoice, index: number): Record<string, unknown> {
    const calls = choice.calls.map(({ id, name, arguments: text }) => ({
      id,
      type: "function",
      function: { name, arguments: text },
    }));
    return {
      index,
      message: {
        role: "assistant",
        // OpenAI: null where the model only called tools.
        content: choice.text === "" && calls.length > 0 ? null : choice.text,
        refusal: null,
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
      },
      logprobs: this.#head.scored ? chatLogprobs(this.#head.texts, choice.scored) : null,
      finish_reason: choice.reason,
      // As vLLM tells which it was; OpenAI's dialect has no word for it, Anthropic's has.
      ...(choice.stop === undefined ? {} : { stop_reason: choice.stop }),
    };
  }
}

function appendArguments(calls: CollectedCall[], index: number, text: string): void {
  const call = calls[index];
  if (call !== undefined) call.arguments += text;
}
