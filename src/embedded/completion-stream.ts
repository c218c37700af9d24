import type { ServerResponse } from "node:http";
import type { ChoiceListener } from "./choice-output.ts";
import type { CompletionHead } from "./completion-answer.ts";
import { completionLogprobs } from "./completion-logprobs.ts";
import type { Generation } from "./generation.ts";
import { EventStream } from "./sse.ts";
import { OpenChoices } from "./open-choices.ts";
import type { AnswerInProgress } from "./start-choices.ts";
import { usageOf } from "./usage.ts";

/** A text completion as server-sent events. */
export class CompletionStream implements AnswerInProgress {
  readonly #stream: EventStream;
  readonly #head: CompletionHead;
  readonly #prefix: string;
  readonly #open: OpenChoices;

  constructor(response: ServerResponse, head: CompletionHead) {
    this.#stream = new EventStream(response);
    this.#head = head;
    this.#open = new OpenChoices(response, head.echoes.length);
    const { id, created, model } = head;
    const common = JSON.stringify({ id, object: "text_completion", created, model });
    this.#prefix = `data: ${common.slice(0, -1)},"choices":[`;
  }

  attach(generations: readonly Generation[]): void {
    this.#open.attach(generations);
    this.#stream.attach(generations);
  }

  listener(index: number): ChoiceListener {
    const { texts, scored: withScores, includeUsage, echoes } = this.#head;
    const before = `${this.#prefix}{"index":${index},"text":`;
    const usage = includeUsage ? ',"usage":null' : "";
    const after = `,"logprobs":null,"finish_reason":null}]${usage}}\n\n`;
    let echo = echoes[index] ?? "";
    let length = echo.length;
    return {
      text: (text, scored) => {
        const logprobs = withScores ? JSON.stringify(completionLogprobs(texts, scored, length)) : "null";
        const end = withScores ? `,"logprobs":${logprobs},"finish_reason":null}]${usage}}\n\n` : after;
        this.#stream.send(`${before}${JSON.stringify(echo + text)}${end}`);
        echo = "";
        length += text.length;
      },
      toolEvent: () => {},
      finish: (reason) => {
        const text = JSON.stringify(echo);
        this.#stream.send(
          `${before}${text},"logprobs":null,"finish_reason":${JSON.stringify(reason)}}]${usage}}\n\n`,
        );
        this.#finishOne();
      },
      fail: this.#open.fail,
    };
  }

  #finishOne(): void {
    if (!this.#open.finish()) return;
    const usage = this.#head.includeUsage
      ? `${this.#prefix}],"usage":${JSON.stringify(usageOf(this.#open.generations))}}\n\n`
      : "";
    this.#stream.end(`${usage}data: [DONE]\n\n`);
  }
}
