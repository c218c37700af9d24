import type { AnswerStart, AnswerWriter, Finish, TokenUsage } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { answerId } from "../identity.ts";
import type { AnswerIdentity } from "../translation.ts";
import { responsesUsage } from "../usage-members.ts";
import type { WireError } from "../wire-error.ts";
import { responsesErrorEvent } from "../wire-error-body.ts";
import { EventNumbers } from "./event-numbers.ts";
import { OpenCall } from "./open-call.ts";
import { OpenMessage } from "./open-message.ts";
import { OpenReasoning } from "./open-reasoning.ts";
import type { ItemStatus, ReasoningPlace } from "./output-items.ts";
import { reasoningPlace } from "./output-items.ts";
import { redactedContent, signatureContent } from "./proof.ts";
import { openResponse, responseEnd } from "./response-object.ts";

/** Writes an answer as the events of the responses dialect: one output item open at a time, all events numbered. */
export class ResponsesStreamWriter implements AnswerWriter {
  readonly #request: JsonObject;
  readonly #identity: AnswerIdentity | undefined;
  readonly #place: ReasoningPlace;
  readonly #events = new EventNumbers();
  readonly #output: JsonObject[] = [];
  #open: OpenMessage | OpenReasoning | OpenCall | undefined;
  #id = "";
  #response: JsonObject = {};
  #finish: Finish = "stop";
  #usage: TokenUsage | undefined;

  constructor(request: JsonObject, identity?: AnswerIdentity) {
    this.#request = request;
    this.#identity = identity;
    this.#place = reasoningPlace(request);
  }

  begin(start: AnswerStart): string {
    this.#usage = start.usage;
    this.#id = answerId("resp_", start.id, this.#identity);
    const created = this.#identity?.created ?? start.created;
    this.#response = openResponse({ id: this.#id, model: start.model, created }, this.#request);
    return (
      this.#events.write("response.created", { response: this.#response }) +
      this.#events.write("response.in_progress", { response: this.#response })
    );
  }

  text(delta: string): string {
    const { said, item } = this.#message();
    return said + item.text(delta);
  }

  refusal(delta: string): string {
    const { said, item } = this.#message();
    return said + item.refusal(delta);
  }

  reasoning(delta: string): string {
    const { said, item } = this.#reasoning();
    return said + item.text(delta);
  }

  signature(signature: string): string {
    const { said, item } = this.#reasoning();
    item.encrypted = signatureContent(signature);
    // What is thought after a signature is another thought.
    return said + this.#close("completed");
  }

  redacted(data: string): string {
    const closed = this.#close("completed");
    const { said, item } = this.#reasoning();
    item.encrypted = redactedContent(data);
    return closed + said + this.#close("completed");
  }

  call(id: string, name: string): string {
    const closed = this.#close("completed");
    const call = new OpenCall(this.#events, this.#id, this.#output.length, id, name);
    this.#open = call;
    return closed + call.begin();
  }

  argumentsDelta(delta: string): string {
    return this.#open instanceof OpenCall ? this.#open.arguments(delta) : "";
  }

  finish(finish: Finish): void {
    this.#finish = finish;
  }

  usage(usage: TokenUsage): void {
    this.#usage = usage;
  }

  /** `response.failed` holds what there was, `error` makes the official client throw: without it a cut would pass for an end. */
  error(error: WireError): string {
    if (this.#id === "") return responsesErrorEvent(error, 0);
    const closed = this.#close("incomplete");
    const code = error.status === 429 ? "rate_limit_exceeded" : "server_error";
    const response = {
      ...this.#response,
      status: "failed",
      error: { code, message: error.message },
      output: this.#output,
    };
    const failed = this.#events.write("response.failed", { response });
    return closed + failed + responsesErrorEvent(error, this.#events.next);
  }

  end(): string {
    const end = responseEnd(this.#finish);
    const closed = this.#close(end.status);
    const response = {
      ...this.#response,
      ...end,
      output: this.#output,
      usage: responsesUsage(this.#usage),
    };
    const name = end.status === "completed" ? "response.completed" : "response.incomplete";
    return closed + this.#events.write(name, { response });
  }

  #message(): { readonly said: string; readonly item: OpenMessage } {
    if (this.#open instanceof OpenMessage) return { said: "", item: this.#open };
    const closed = this.#close("completed");
    const item = new OpenMessage(this.#events, this.#id, this.#output.length);
    this.#open = item;
    return { said: closed + item.begin(), item };
  }

  #reasoning(): { readonly said: string; readonly item: OpenReasoning } {
    if (this.#open instanceof OpenReasoning) return { said: "", item: this.#open };
    const closed = this.#close("completed");
    const item = new OpenReasoning(this.#events, this.#id, this.#output.length, this.#place);
    this.#open = item;
    return { said: closed + item.begin(), item };
  }

  #close(status: ItemStatus): string {
    const open = this.#open;
    if (open === undefined) return "";
    this.#open = undefined;
    const { said, item } = open.end(status);
    this.#output.push(item);
    return said;
  }
}
