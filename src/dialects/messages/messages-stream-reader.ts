import type { AnswerWriter, TokenUsage } from "../answer.ts";
import type { JsonObject } from "../dialect.ts";
import { readErrorEvent } from "../engine-error.ts";
import { isObject, textOr } from "../fields.ts";
import { readStopReason } from "../finish.ts";
import { parseEvent } from "../parse-event.ts";
import type { StreamTranslator } from "../translation.ts";
import { readEventUsage } from "../usage.ts";
import type { WireError } from "../wire-error.ts";

/** Reads an engine's stream of Anthropic's dialect into a writer of the client's. */
export class MessagesStreamReader implements StreamTranslator {
  readonly #writer: AnswerWriter;
  #usage: TokenUsage | undefined;
  #begun = false;
  #over = false;
  /** The open block is a call, and nothing of its arguments has come. */
  #emptyCall = false;

  constructor(writer: AnswerWriter) {
    this.#writer = writer;
  }

  event(data: string): string {
    if (this.#over) return "";
    const parsed = parseEvent(data);
    if ("failure" in parsed) return this.error(parsed.failure);
    const { body } = parsed;
    switch (body["type"]) {
      case "message_start":
        return this.#start(body);
      case "content_block_start":
        return this.#opened() + this.#blockStart(body["content_block"]);
      case "content_block_delta":
        return this.#opened() + this.#delta(body["delta"]);
      case "content_block_stop":
        return this.#blockStop();
      case "message_delta":
        return this.#messageDelta(body);
      case "message_stop":
        return this.end();
      case "error":
        return this.error(
          readErrorEvent(body) ?? {
            status: 500,
            type: "server_error",
            code: "engine_error",
            message: "The engine ended its stream with an error.",
          },
        );
      // "ping", and what newer versions of the dialect may add.
      default:
        return "";
    }
  }

  end(): string {
    if (this.#over) return "";
    const begun = this.#opened();
    this.#over = true;
    return begun + this.#writer.end();
  }

  error(error: WireError): string {
    if (this.#over) return "";
    this.#over = true;
    return this.#writer.error(error);
  }

  #opened(): string {
    return this.#begun ? "" : this.#start({});
  }

  #start(event: JsonObject): string {
    if (this.#begun) return "";
    this.#begun = true;
    const message = isObject(event["message"]) ? event["message"] : {};
    this.#usage = readEventUsage("messages", event);
    return this.#writer.begin({
      id: textOr(message["id"]) ?? "",
      model: textOr(message["model"]) ?? "",
      created: 0,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    });
  }

  #blockStart(block: unknown): string {
    if (!isObject(block)) return "";
    const { type, text, thinking, data, id, name, input } = block;
    this.#emptyCall = type === "tool_use";
    if (type === "tool_use") {
      const begun = this.#writer.call(textOr(id) ?? "", textOr(name) ?? "");
      // Deltas follow, but for engines that write a call in one piece.
      if (!isObject(input) || Object.keys(input).length === 0) return begun;
      this.#emptyCall = false;
      return begun + this.#writer.argumentsDelta(JSON.stringify(input));
    }
    if (type === "redacted_thinking" && typeof data === "string") return this.#writer.redacted(data);
    if (type === "text" && typeof text === "string" && text !== "") return this.#writer.text(text);
    if (type === "thinking" && typeof thinking === "string" && thinking !== "")
      return this.#writer.reasoning(thinking);
    return "";
  }

  #delta(delta: unknown): string {
    if (!isObject(delta)) return "";
    const { type, text, thinking, signature, partial_json: json } = delta;
    if (type === "text_delta" && typeof text === "string" && text !== "") return this.#writer.text(text);
    if (type === "thinking_delta" && typeof thinking === "string" && thinking !== "")
      return this.#writer.reasoning(thinking);
    if (type === "signature_delta" && typeof signature === "string" && signature !== "")
      return this.#writer.signature(signature);
    if (type === "input_json_delta" && typeof json === "string" && json !== "") {
      this.#emptyCall = false;
      return this.#writer.argumentsDelta(json);
    }
    return "";
  }

  /** Anthropic writes no delta for a call without arguments; elsewhere these are an empty object. */
  #blockStop(): string {
    if (!this.#emptyCall) return "";
    this.#emptyCall = false;
    return this.#writer.argumentsDelta("{}");
  }

  #messageDelta(event: JsonObject): string {
    this.#usage = readEventUsage("messages", event, this.#usage);
    if (this.#usage !== undefined) this.#writer.usage(this.#usage);
    const { delta } = event;
    const reason = isObject(delta) ? textOr(delta["stop_reason"]) : undefined;
    if (isObject(delta) && reason !== undefined) {
      this.#writer.finish(readStopReason(reason), textOr(delta["stop_sequence"]));
    }
    return "";
  }
}
