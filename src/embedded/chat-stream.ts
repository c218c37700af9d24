import type { ServerResponse } from "node:http";
import { chatLogprobs } from "./chat-logprobs.ts";
import type { ChoiceListener, ScoredToken } from "./choice-output.ts";
import type { Generation } from "./generation.ts";
import { EventStream } from "./sse.ts";
import { OpenChoices } from "./open-choices.ts";
import type { AnswerInProgress } from "./start-choices.ts";
import type { TokenTexts } from "./text-decoder.ts";
import { usageOf } from "./usage.ts";

/** What all chunks of one answer have in common. */
export interface ChatHead {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly choices: number;
  readonly includeUsage: boolean;
  readonly texts: TokenTexts;
  readonly scored: boolean;
}

/** A chat answer as server-sent events. The constant parts of every chunk are built once: a token costs one short string. */
export class ChatStream implements AnswerInProgress {
  readonly #stream: EventStream;
  readonly #head: ChatHead;
  /** `data: {…,"choices":[{"index":` */
  readonly #prefix: string;
  readonly #open: OpenChoices;

  constructor(response: ServerResponse, head: ChatHead) {
    this.#stream = new EventStream(response);
    this.#head = head;
    this.#open = new OpenChoices(response, head.choices);
    const common = JSON.stringify({
      id: head.id,
      object: "chat.completion.chunk",
      created: head.created,
      model: head.model,
      system_fingerprint: "omni-embedded",
    });
    this.#prefix = `data: ${common.slice(0, -1)},"choices":[`;
  }

  attach(generations: readonly Generation[]): void {
    this.#open.attach(generations);
    this.#stream.attach(generations);
  }

  listener(index: number): ChoiceListener {
    const before = `${this.#prefix}{"index":${index},"delta":`;
    const usage = this.#head.includeUsage ? ',"usage":null' : "";
    const after = `,"logprobs":null,"finish_reason":null}]${usage}}\n\n`;
    let opening = `${before}{"role":"assistant","content":""}${after}`;
    const send = (delta: string, end: string): void => {
      this.#stream.send(`${opening}${before}${delta}${end}`);
      opening = "";
    };
    return {
      text: (text, scored) =>
        send(`{"content":${JSON.stringify(text)}}`, this.#head.scored ? this.#scored(scored, usage) : after),
      toolEvent: (event) => {
        const { index } = event;
        const call =
          event.kind === "call"
            ? { index, id: event.id, type: "function", function: { name: event.name, arguments: "" } }
            : { index, function: { arguments: event.text } };
        send(JSON.stringify({ tool_calls: [call] }), after);
      },
      finish: (reason, stop) => {
        const stopped = stop === undefined ? "" : `,"stop_reason":${JSON.stringify(stop)}`;
        send("{}", `,"logprobs":null,"finish_reason":${JSON.stringify(reason)}${stopped}}]${usage}}\n\n`);
        this.#finishOne();
      },
      fail: this.#open.fail,
    };
  }

  #scored(scored: readonly ScoredToken[], usage: string): string {
    const logprobs = JSON.stringify(chatLogprobs(this.#head.texts, scored));
    return `,"logprobs":${logprobs},"finish_reason":null}]${usage}}\n\n`;
  }

  #finishOne(): void {
    if (!this.#open.finish()) return;
    const usage = this.#head.includeUsage
      ? `${this.#prefix}],"usage":${JSON.stringify(usageOf(this.#open.generations))}}\n\n`
      : "";
    this.#stream.end(`${usage}data: [DONE]\n\n`);
  }
}
