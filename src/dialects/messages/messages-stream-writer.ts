import type { AnswerStart, AnswerWriter, Finish, TokenUsage } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { stopDetails, stopReason } from "../finish.ts";
import { answerId } from "../identity.ts";
import { sseEvent } from "../sse-event.ts";
import type { AnswerIdentity } from "../translation.ts";
import { messagesDeltaUsage, messagesUsage } from "../usage-members.ts";
import type { WireError } from "../wire-error.ts";
import { wireErrorEvent } from "../wire-error-body.ts";
import { openMessage, toolUse } from "./write-messages-answer.ts";

/** Writes an answer as the events of Anthropic's dialect: one content block open at a time. */
export class MessagesStreamWriter implements AnswerWriter {
  readonly #identity: AnswerIdentity | undefined;
  #open: "text" | "thinking" | "tool_use" | undefined;
  #index = -1;
  #finish: Finish = "stop";
  #stopSequence: string | undefined;
  #usage: TokenUsage | undefined;
  #deltaHead = "";

  constructor(identity?: AnswerIdentity) {
    this.#identity = identity;
  }

  begin(start: AnswerStart): string {
    this.#usage = start.usage;
    const id = answerId("msg_", start.id, this.#identity);
    const message = { ...openMessage(id, start.model), usage: messagesUsage(start.usage) };
    return sseEvent(JSON.stringify({ type: "message_start", message }), "message_start");
  }

  text(delta: string): string {
    const opened = this.#block("text", { type: "text", text: "", citations: null });
    return `${opened}${this.#deltaHead}"text_delta","text":${JSON.stringify(delta)}}}\n\n`;
  }

  /** Anthropic has no part for refusals: the words are text, and `stop_reason` says what they are. */
  refusal(delta: string): string {
    return this.text(delta);
  }

  reasoning(delta: string): string {
    const opened = this.#block("thinking", { type: "thinking", thinking: "", signature: "" });
    return `${opened}${this.#deltaHead}"thinking_delta","thinking":${JSON.stringify(delta)}}}\n\n`;
  }

  signature(signature: string): string {
    const opened = this.#block("thinking", { type: "thinking", thinking: "", signature: "" });
    const said = `${this.#deltaHead}"signature_delta","signature":${JSON.stringify(signature)}}}\n\n`;
    // What is thought after a signature is another thought.
    return opened + said + this.#close();
  }

  redacted(data: string): string {
    return this.#close() + this.#start({ type: "redacted_thinking", data }) + this.#stop();
  }

  call(id: string, name: string): string {
    const closed = this.#close();
    this.#open = "tool_use";
    return closed + this.#start(toolUse(id, name, {}));
  }

  argumentsDelta(delta: string): string {
    if (this.#open !== "tool_use") return "";
    return `${this.#deltaHead}"input_json_delta","partial_json":${JSON.stringify(delta)}}}\n\n`;
  }

  finish(finish: Finish, stopSequence?: string): void {
    this.#finish = finish;
    this.#stopSequence = stopSequence;
  }

  usage(usage: TokenUsage): void {
    this.#usage = usage;
  }

  error(error: WireError): string {
    return wireErrorEvent("anthropic", error);
  }

  end(): string {
    const delta = {
      type: "message_delta",
      delta: {
        stop_reason: stopReason(this.#finish),
        stop_details: stopDetails(this.#finish),
        stop_sequence: this.#stopSequence ?? null,
        container: null,
      },
      usage: messagesDeltaUsage(this.#usage),
    };
    return (
      this.#close() +
      sseEvent(JSON.stringify(delta), "message_delta") +
      sseEvent('{"type":"message_stop"}', "message_stop")
    );
  }

  #block(kind: "text" | "thinking", block: JsonObject): string {
    if (this.#open === kind) return "";
    const closed = this.#close();
    this.#open = kind;
    return closed + this.#start(block);
  }

  #start(block: JsonObject): string {
    this.#index++;
    this.#deltaHead = `event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#index},"delta":{"type":`;
    const event = { type: "content_block_start", index: this.#index, content_block: block };
    return sseEvent(JSON.stringify(event), "content_block_start");
  }

  #stop(): string {
    return sseEvent(`{"type":"content_block_stop","index":${this.#index}}`, "content_block_stop");
  }

  #close(): string {
    if (this.#open === undefined) return "";
    this.#open = undefined;
    return this.#stop();
  }
}
