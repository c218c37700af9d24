import type { AnswerStart, AnswerWriter, Finish, TokenUsage } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { isObject } from "../fields.ts";
import { finishReason } from "../finish.ts";
import { answerId } from "../identity.ts";
import { sseEvent } from "../sse-event.ts";
import type { AnswerIdentity } from "../translation.ts";
import { chatUsage } from "../usage-members.ts";
import type { WireError } from "../wire-error.ts";
import { wireErrorEvent } from "../wire-error-body.ts";

/** Writes an answer as chat chunks; usage comes last where the client asked for it. */
export class ChatStreamWriter implements AnswerWriter {
  readonly #identity: AnswerIdentity | undefined;
  readonly #counts: boolean;
  /** Members that all chunks share, without the closing brace. */
  #head = "{";
  #call = -1;
  #finish: Finish = "stop";
  #stopSequence: string | undefined;
  #usage: TokenUsage | undefined;
  /** The thought that the next signature proves. */
  #thought = "";

  constructor(request: JsonObject, identity?: AnswerIdentity) {
    this.#identity = identity;
    const options = request["stream_options"];
    this.#counts = isObject(options) && options["include_usage"] === true;
  }

  begin(start: AnswerStart): string {
    this.#usage = start.usage;
    const head = {
      id: answerId("chatcmpl-", start.id, this.#identity),
      object: "chat.completion.chunk",
      created: this.#identity?.created ?? start.created,
      model: start.model,
    };
    this.#head = JSON.stringify(head).slice(0, -1);
    return this.#delta('{"role":"assistant","content":""}');
  }

  text(delta: string): string {
    return this.#delta(`{"content":${JSON.stringify(delta)}}`);
  }

  refusal(delta: string): string {
    return this.#delta(`{"refusal":${JSON.stringify(delta)}}`);
  }

  reasoning(delta: string): string {
    this.#thought += delta;
    return this.#delta(`{"reasoning_content":${JSON.stringify(delta)}}`);
  }

  /** The whole thought goes with its signature, so that a client can send the block back as it is. */
  signature(signature: string): string {
    const block = { type: "thinking", thinking: this.#thought, signature };
    this.#thought = "";
    return this.#delta(JSON.stringify({ thinking_blocks: [block] }));
  }

  redacted(data: string): string {
    return this.#delta(JSON.stringify({ thinking_blocks: [{ type: "redacted_thinking", data }] }));
  }

  call(id: string, name: string): string {
    this.#call++;
    const call = { index: this.#call, id, type: "function", function: { name, arguments: "" } };
    return this.#delta(JSON.stringify({ tool_calls: [call] }));
  }

  argumentsDelta(delta: string): string {
    return this.#delta(
      `{"tool_calls":[{"index":${this.#call},"function":{"arguments":${JSON.stringify(delta)}}}]}`,
    );
  }

  finish(finish: Finish, stopSequence?: string): void {
    this.#finish = finish;
    this.#stopSequence = stopSequence;
  }

  usage(usage: TokenUsage): void {
    this.#usage = usage;
  }

  error(error: WireError): string {
    return wireErrorEvent("openai", error);
  }

  end(): string {
    const stop =
      this.#stopSequence === undefined ? "" : `,"stop_reason":${JSON.stringify(this.#stopSequence)}`;
    const last = this.#chunk(
      `[{"index":0,"delta":{},"logprobs":null,"finish_reason":"${finishReason(this.#finish)}"${stop}}]`,
      "null",
    );
    const usage = this.#counts ? this.#chunk("[]", JSON.stringify(chatUsage(this.#usage))) : "";
    return `${last}${usage}${sseEvent("[DONE]")}`;
  }

  #delta(delta: string): string {
    return this.#chunk(`[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":null}]`, "null");
  }

  #chunk(choices: string, usage: string): string {
    const counted = this.#counts ? `,"usage":${usage}` : "";
    return `data: ${this.#head},"choices":${choices}${counted}}\n\n`;
  }
}
