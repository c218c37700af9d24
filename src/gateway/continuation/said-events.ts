import type { EngineDialect } from "../../engines/surface.ts";
import type { JsonObject } from "../../dialects/dialect.ts";
import type { Said } from "./continuation.ts";
import { asCount, asList, asObject, asText, isGiven, parseObject } from "./fields.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Collects what the events of one lane say, one parsed event after the other. */
export class SaidEvents {
  readonly #lane: EngineDialect;
  readonly #texts: string[] = [];
  readonly #reasonings: string[] = [];
  #characters = 0;
  readonly #said: Writable<Omit<Said, "text" | "reasoning">> = {
    id: "",
    created: 0,
    model: "",
    toolCall: false,
    logprobs: false,
    several: false,
    mixed: false,
    deltas: 0,
    finished: false,
  };
  #known = false;

  constructor(lane: EngineDialect) {
    this.#lane = lane;
  }

  /** Characters of text and thinking so far. */
  get characters(): number {
    return this.#characters;
  }

  /** Text or thinking that so many deltas carried. */
  addRun(kind: "text" | "reasoning", text: string, deltas: number): void {
    if (kind === "reasoning" && this.#texts.length > 0) this.#said.mixed = true;
    (kind === "text" ? this.#texts : this.#reasonings).push(text);
    this.#characters += text.length;
    this.#said.deltas += deltas;
  }

  /** One event's data; false when it is none that can be understood. */
  add(data: string): boolean {
    if (data === "[DONE]") {
      this.#said.finished = true;
      return true;
    }
    const event = parseObject(data);
    if (event === undefined || isGiven(event["error"]) || event["type"] === "error") return false;
    if (this.#lane === "messages") this.#addMessageEvent(event);
    else this.#addChunk(event);
    return true;
  }

  get said(): Said {
    return { ...this.#said, text: one(this.#texts), reasoning: one(this.#reasonings) };
  }

  #know(id: unknown, model: unknown, created: unknown): void {
    if (this.#known || typeof id !== "string") return;
    this.#known = true;
    this.#said.id = id;
    this.#said.model = asText(model);
    this.#said.created = asCount(created) ?? 0;
  }

  #addChunk(chunk: JsonObject): void {
    this.#know(chunk["id"], chunk["model"], chunk["created"]);
    const choices = asList(chunk["choices"]);
    if (choices.length > 1) this.#said.several = true;
    for (const one of choices) {
      const choice = asObject(one);
      if (choice === undefined) continue;
      if ((asCount(choice["index"]) ?? 0) > 0) this.#said.several = true;
      if (isGiven(choice["logprobs"])) this.#said.logprobs = true;
      if (isGiven(choice["finish_reason"])) this.#said.finished = true;
      if (this.#lane === "completions") this.#addPart("text", choice["text"]);
      else this.#addDelta(asObject(choice["delta"]) ?? {});
    }
  }

  #addDelta(delta: JsonObject): void {
    // vLLM and some remote APIs call it `reasoning`, the others `reasoning_content`; some send both.
    this.#addPart("reasoning", delta["reasoning_content"] ?? delta["reasoning"]);
    this.#addPart("text", delta["content"]);
    if (asList(delta["tool_calls"]).length > 0 || isGiven(delta["function_call"])) this.#addCall();
    // What was refused, or spoken, is no text that could be put before the rest of an answer.
    if (asText(delta["refusal"]) !== "" || isGiven(delta["audio"])) this.#said.toolCall = true;
  }

  #addPart(kind: "text" | "reasoning", value: unknown): void {
    if (typeof value === "string" && value !== "") this.addRun(kind, value, 1);
  }

  /** A part of a call: nothing goes on from it, but it was generated. */
  #addCall(): void {
    this.#said.toolCall = true;
    this.#said.deltas++;
  }

  #addMessageEvent(event: JsonObject): void {
    const delta = asObject(event["delta"]) ?? {};
    const index = asCount(event["index"]) ?? 0;
    switch (event["type"]) {
      case "message_start": {
        const message = asObject(event["message"]) ?? {};
        this.#know(message["id"], message["model"], 0);
        break;
      }
      case "content_block_start": {
        const block = asObject(event["content_block"]) ?? {};
        this.#said.block = { index, open: true, type: asText(block["type"]) };
        if (!isProse(block["type"])) this.#said.toolCall = true;
        this.#addPart("text", block["type"] === "text" ? block["text"] : undefined);
        this.#addPart("reasoning", block["thinking"]);
        break;
      }
      case "content_block_delta":
        this.#addPart("text", delta["text"]);
        this.#addPart("reasoning", delta["thinking"]);
        if (delta["type"] === "input_json_delta") this.#addCall();
        break;
      case "content_block_stop":
        if (this.#said.block !== undefined) this.#said.block = { ...this.#said.block, open: false };
        break;
      case "message_delta":
        if (isGiven(delta["stop_reason"])) this.#said.finished = true;
        break;
      case "message_stop":
        this.#said.finished = true;
        break;
      default:
    }
  }
}

const isProse = (type: unknown): boolean =>
  type === "text" || type === "thinking" || type === "redacted_thinking";

/** The parts as one text; they are joined once, and kept so. */
function one(parts: string[]): string {
  if (parts.length > 1) parts.splice(0, parts.length, parts.join(""));
  return parts[0] ?? "";
}
