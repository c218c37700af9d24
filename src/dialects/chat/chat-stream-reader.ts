import type { AnswerWriter } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { readErrorEvent } from "../engine-error.ts";
import { countOr, isList, isObject, textOr } from "../fields.ts";
import { parseEvent } from "../parse-event.ts";
import type { StreamTranslator } from "../translation.ts";
import { readUsage } from "../usage.ts";
import type { WireError } from "../wire-error.ts";
import { chatFinish, reasoningOf } from "./read-chat-answer.ts";
import { ToolCallOrder } from "./tool-call-order.ts";

interface OpenCall {
  /** Number of the call in this answer, from 0. */
  readonly key: number;
  id: string;
  name: string;
  begun: boolean;
  /** Arguments that came before the name. */
  early: string;
}

/** Reads an engine's stream of chat chunks into a writer of the client's dialect. */
export class ChatStreamReader implements StreamTranslator {
  readonly #writer: AnswerWriter;
  readonly #order: ToolCallOrder;
  /** The call that deltas of an index belong to. */
  readonly #calls = new Map<number, OpenCall>();
  #count = 0;
  #last: OpenCall | undefined;
  #id = "";
  #begun = false;
  #finished = false;
  #over = false;

  constructor(writer: AnswerWriter) {
    this.#writer = writer;
    this.#order = new ToolCallOrder(writer);
  }

  event(data: string): string {
    if (this.#over) return "";
    if (data.startsWith("[DONE]")) return this.end();
    const chunk = parseEvent(data);
    if ("failure" in chunk) return this.error(chunk.failure);
    const { body } = chunk;
    // Some engines put the error beside a last choice.
    if (body["choices"] === undefined || isObject(body["error"])) {
      const failure = readErrorEvent(body);
      if (failure !== undefined) return this.error(failure);
    }
    return this.#chunk(body);
  }

  end(): string {
    if (this.#over) return "";
    this.#over = true;
    return (this.#begun ? "" : this.#begin({})) + this.#rest() + this.#writer.end();
  }

  error(error: WireError): string {
    if (this.#over) return "";
    this.#over = true;
    // What waits for its turn was said by the engine, and a client sees it before the error.
    return (this.#begun ? this.#rest() : "") + this.#writer.error(error);
  }

  #begin(chunk: JsonObject): string {
    this.#begun = true;
    this.#id = textOr(chunk["id"]) ?? "";
    const usage = readUsage("chat", chunk);
    return this.#writer.begin({
      id: this.#id,
      model: textOr(chunk["model"]) ?? "",
      created: countOr(chunk["created"]) ?? 0,
      ...(usage === undefined ? {} : { usage }),
    });
  }

  #chunk(chunk: JsonObject): string {
    let out = this.#begun ? "" : this.#begin(chunk);
    const choices = isList(chunk["choices"]) ? chunk["choices"] : [];
    const choice = choices[0];
    if (isObject(choice)) out += this.#choice(choice);
    const usage = chunk["usage"] === undefined ? undefined : readUsage("chat", chunk);
    if (usage !== undefined) {
      this.#writer.usage(usage);
      // The last chunk of engines that count: nothing but [DONE] comes behind it.
      if (this.#finished && choices.length === 0) out += this.end();
    }
    return out;
  }

  #choice(choice: JsonObject): string {
    const { delta } = choice;
    let out = isObject(delta) ? this.#delta(delta) : "";
    const reason = choice["finish_reason"];
    if (typeof reason === "string" && reason !== "" && !this.#finished) {
      this.#finished = true;
      out += this.#rest();
      const { finish, stopSequence } = chatFinish(choice, reason);
      this.#writer.finish(finish === "stop" && this.#count > 0 ? "tool" : finish, stopSequence);
    }
    return out;
  }

  #delta(delta: JsonObject): string {
    let out = "";
    const reasoning = reasoningOf(delta);
    if (reasoning !== undefined && reasoning !== "") out += this.#order.reasoning(reasoning);
    if (isList(delta["thinking_blocks"])) out += this.#proofs(delta["thinking_blocks"]);
    const { content, refusal } = delta;
    if (typeof content === "string" && content !== "") out += this.#order.text(content);
    if (typeof refusal === "string" && refusal !== "") out += this.#order.refusal(refusal);
    if (isList(delta["tool_calls"])) {
      for (const call of delta["tool_calls"]) if (isObject(call)) out += this.#toolCall(call);
    }
    return out;
  }

  #proofs(blocks: readonly unknown[]): string {
    let out = "";
    for (const block of blocks) {
      if (!isObject(block)) continue;
      const { signature, data } = block;
      if (typeof signature === "string" && signature !== "") out += this.#writer.signature(signature);
      if (block["type"] === "redacted_thinking" && typeof data === "string")
        out += this.#writer.redacted(data);
    }
    return out;
  }

  #toolCall(delta: JsonObject): string {
    const called = isObject(delta["function"]) ? delta["function"] : {};
    const id = textOr(delta["id"]) ?? "";
    const name = textOr(called["name"]) ?? "";
    const call = this.#callOf(delta["index"], id, name);
    if (!call.begun) {
      if (id !== "") call.id = id;
      call.name += name;
    }
    const { arguments: args } = called;
    // Some engines give the object itself, and then all of it at once.
    const text = typeof args === "string" ? args : isObject(args) ? JSON.stringify(args) : "";
    if (!call.begun && call.name === "") {
      call.early += text;
      return "";
    }
    if (call.begun) return this.#order.argumentsDelta(call.key, text);
    call.begun = true;
    const begun = this.#order.call(call.key, call.id || `call_${this.#id}_${call.key}`, call.name);
    return begun + this.#order.argumentsDelta(call.key, call.early + text);
  }

  /** Some engines number no calls, and some give all of them the same number: then another id is another call. */
  #callOf(index: unknown, id: string, name: string): OpenCall {
    const same = id === "" || id === this.#last?.id;
    const number = typeof index === "number" ? index : same ? (this.#last?.key ?? 0) : this.#count;
    const known = this.#calls.get(number);
    const another = known !== undefined && known.begun && id !== "" && id !== known.id && name !== "";
    if (known !== undefined && !another) {
      this.#last = known;
      return known;
    }
    const call: OpenCall = { key: this.#count++, id, name: "", begun: false, early: "" };
    this.#calls.set(number, call);
    this.#last = call;
    return call;
  }

  #rest(): string {
    return this.#order.flush();
  }
}
